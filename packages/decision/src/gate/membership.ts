import { type CommandEntry, TERMINAL_VISIT_STATES } from '@deadlatch/catalogue';
import { DispatchError, refuse } from '@deadlatch/kernel';
import type { Caller } from '../caller.ts';
import type { Facts } from '../facts.ts';
import type { TicketRow, TurnRow, VisitRow } from '../rows.ts';
import type { Acting } from '../rule.ts';
import { mayRequestAt, membershipsAt } from './memberships-at.ts';
import { requirePlace } from './site.ts';
import { requireTurn } from './turn.ts';

/** What is asked about: the path's id, and a site where the command names one. */
export interface Asked {
  readonly targetId: string | null;
  /** null where the body names none; `unasked` while only asking what could be done. */
  readonly siteId: string | null | 'unasked';
}

/**
 * Chooses the first candidate that is really connected with the target.
 * Unknown and foreign are one answer, so that nobody learns what exists.
 * @throws DispatchError `not_found`, `turn_ended`, `digest_mismatch`
 * @invariant membership comes from rows, never from the token; the token's context can only narrow
 * @source A.3b, T1.9, T3.1
 */
export function requireMembership(
  entry: CommandEntry,
  caller: Caller,
  facts: Facts,
  candidates: readonly Acting[],
  asked: Asked,
  now: number,
): Acting {
  if (facts.tenant.id !== caller.tenantId) refuse('not_found', { detail: 'tenant' });
  requireTarget(entry, caller, facts, asked.targetId);
  requireTokenContext(entry, caller, facts);
  const refusals: DispatchError[] = [];
  for (const acting of candidates) {
    try {
      requireConnection(entry, caller, facts, acting, asked, now);
      return acting;
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0] ?? new DispatchError('not_found');
}

/** The rows that were read are the ones the path names. */
function requireTarget(entry: CommandEntry, caller: Caller, facts: Facts, targetId: string | null): void {
  const { tenantId } = caller;
  const isThere = (() => {
    switch (entry.target) {
      case 'none':
        return targetId === null;
      case 'ticket':
        return isRow(facts.ticket, targetId, tenantId) && isOwnAccount(facts, facts.ticket);
      case 'approval':
        return (
          isRow(facts.approval, targetId, tenantId) &&
          isRow(facts.ticket, facts.approval.ticket_id, tenantId) &&
          facts.approval.account_id === facts.ticket.account_id &&
          isOwnAccount(facts, facts.ticket)
        );
      case 'conversation':
        return isRow(facts.conversation, targetId, tenantId);
      case 'suggestion':
        return isRow(facts.suggestion, targetId, tenantId);
      case 'report':
        return isRow(facts.report, targetId, tenantId);
      case 'account':
      case 'site':
      case 'asset':
      case 'contact':
      case 'technician':
      case 'staff':
      case 'act':
        return isRow(facts.directory?.[entry.target] ?? null, targetId, tenantId);
      case 'message':
        return isRow(facts.message, targetId, tenantId) && facts.message.direction === 'OUT';
    }
  })();
  if (isThere !== true) refuse('not_found', { detail: `target ${entry.target}` });
}

function isRow<Row extends { readonly id: string; readonly tenant_id: string }>(
  row: Row | null,
  id: string | null,
  tenantId: string,
): row is Row {
  return row !== null && id !== null && row.id === id && row.tenant_id === tenantId;
}

function isOwnAccount(facts: Facts, ticket: TicketRow): boolean {
  return (
    facts.account !== null &&
    facts.account.id === ticket.account_id &&
    facts.site !== null &&
    facts.site.id === ticket.site_id &&
    facts.site.account_id === ticket.account_id
  );
}

/** What a token with an action's digest may be used for. */
function isDecision({ name }: CommandEntry): boolean {
  return name === 'approval.decide' || name === 'act.confirm';
}

/** A token that names a ticket, a conversation or an action is good for those only. */
function requireTokenContext(entry: CommandEntry, caller: Caller, facts: Facts): void {
  const { ticketId, conversationId, actionDigest } = caller.context;
  if (actionDigest !== null && !isDecision(entry)) refuse('digest_mismatch');
  // An agent's token is compared with its turn, which is the stricter of the two.
  if (caller.agent !== null) return;
  if (ticketId !== null && ticketId !== (entry.target === 'none' ? null : (facts.ticket?.id ?? null))) {
    refuse('not_found', { detail: 'ticket of the token' });
  }
  if (conversationId !== null && conversationId !== (facts.ticket?.conversation_id ?? null)) {
    refuse('not_found', { detail: 'conversation of the token' });
  }
}

function requireConnection(
  entry: CommandEntry,
  caller: Caller,
  facts: Facts,
  acting: Acting,
  asked: Asked,
  now: number,
): void {
  if (acting.kind === 'service') return;
  if (acting.kind === 'link') {
    if (!isOfLink(caller, facts)) refuse('not_found', { detail: 'no such link' });
    return;
  }
  if (acting.kind === 'agent') {
    requireAgentConnection(entry, caller, facts, asked, now);
    return;
  }
  // Every row was compared with the tenant already; staff are the tenant's own.
  if (acting.membership === 'tenant') return;
  if (acting.membership === 'account') {
    requirePlace(caller, facts, asked.siteId);
    return;
  }
  if (!isOwn(acting.role, entry, caller, facts)) refuse('not_found', { detail: 'not own' });
}

/** The rows are those of the link that was found, in this tenant. */
function isOfLink({ tenantId }: Caller, { tapped_link: link, ticket }: Facts): boolean {
  return (
    link !== null &&
    ticket !== null &&
    link.tenant_id === tenantId &&
    ticket.tenant_id === tenantId &&
    link.message.ticket_id === ticket.id &&
    link.message.contact_id === link.contact_id
  );
}

function requireAgentConnection(
  entry: CommandEntry,
  caller: Caller,
  facts: Facts,
  asked: Asked,
  now: number,
): void {
  requireTicketOfTurn(entry, caller, facts, requireTurn(caller, facts, now).turn, asked);
}

/** What the turn is about, and that its subject may still ask there. @throws DispatchError `not_found` */
export function requireTicketOfTurn(
  entry: CommandEntry,
  caller: Caller,
  facts: Facts,
  turn: TurnRow,
  asked: Pick<Asked, 'siteId'>,
): void {
  if (entry.target === 'none') {
    if (entry.name === 'ticket.create') requirePlace(caller, facts, asked.siteId);
    return;
  }
  // A turn without a ticket may only make one: null equals no id.
  const { ticket } = facts;
  if (ticket === null || turn.ticket_id !== ticket.id || ticket.conversation_id !== turn.conversation_id) {
    refuse('not_found', { detail: 'ticket of the turn' });
  }
  if (caller.subject.kind === 'contact' && !mayRequestAt(facts, ticket.account_id, ticket.site_id)) {
    refuse('not_found', { detail: 'subject is no longer of this site' });
  }
}

function isOwn(role: string, entry: CommandEntry, caller: Caller, facts: Facts): boolean {
  const { ticket, approval } = facts;
  if (ticket === null || caller.subject.id === null) return false;
  if (role === 'requester') {
    return (
      ticket.requester_id === caller.subject.id && mayRequestAt(facts, ticket.account_id, ticket.site_id)
    );
  }
  if (role === 'approver') {
    return (
      approval !== null &&
      // What was asked was shown to one contact; whoever else is on the list was asked nothing.
      approval.decider_id === caller.subject.id &&
      membershipsAt(facts, ticket.account_id, ticket.site_id).some((m) => m.may_approve === true)
    );
  }
  if (role === 'technician') {
    if (!isVisitOf(facts.visit, ticket, caller.subject.id)) return false;
    return (
      entry.target !== 'approval' ||
      (approval?.requested_by_kind === 'technician' && approval.requested_by_id === caller.subject.id)
    );
  }
  return false;
}

/** Whoever is on the job; and once they have left it, whoever handed it in, for as long as it may come back to them. */
function isVisitOf(visit: VisitRow | null, ticket: TicketRow, technicianId: string): visit is VisitRow {
  const isAnswerable =
    ticket.state === 'COMPLETED_PENDING_VERIFICATION' && visit !== null && visit.state === 'CHECKED_OUT';
  return (
    visit !== null &&
    visit.ticket_id === ticket.id &&
    visit.technician_id === technicianId &&
    (isAnswerable || !(TERMINAL_VISIT_STATES as readonly string[]).includes(visit.state))
  );
}
