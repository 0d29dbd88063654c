import type { TicketState } from '@deadlatch/catalogue';
import { findCommand } from '@deadlatch/catalogue';
import type { Caller, CommandRequest } from '../caller.ts';
import type { Facts, SubjectFacts } from '../facts.ts';
import type { ApprovalRow, VisitRow } from '../rows.ts';
import { NO_CONTEXT } from './callers.ts';
import { actFor, batchFacts, DIRECTORY_TARGETS, directoryFacts } from './directory-facts.ts';
import { completeEvidence, completeTests, emptyFacts, placeFacts } from './facts.ts';
import { IDS, personOf } from './ids.ts';
import { lifeFacts } from './life-rows.ts';
import type { Cell } from './matrix-cells.ts';
import { inputOf } from './matrix-inputs.ts';
import { publicationsFor } from './publication-facts.ts';
import {
  approvalRow,
  approverFacts,
  at,
  contact,
  conversationRow,
  evidenceRow,
  HOUR,
  invoiceRow,
  membership,
  messageRow,
  observedObject,
  staffMember,
  technicianSubject,
  ticketRow,
  turnRow,
  visitRow,
} from './rows.ts';
import { scheduleOf, tapOf, technicianFacts, tripOf } from './schedule-rows.ts';

const SUBJECT_OF: Readonly<Record<string, string>> = {
  requester: IDS.requester,
  approver: IDS.approver,
  dispatcher: IDS.dispatcher,
  supervisor: IDS.supervisor,
  technician: IDS.technician,
  qa: IDS.qa,
  finance: IDS.finance,
  admin: IDS.admin,
  auditor: IDS.auditor,
};

/** What facts are made of: neither the proof nor the reins, and never the service that asks. */
type Still = Omit<Cell, 'assurance' | 'autonomy' | 'paused' | 'human' | 'service'>;

export function requestOf(cell: Omit<Still, 'membership'>): CommandRequest {
  const target = findCommand(cell.command)?.target;
  const ids: Readonly<Record<string, string>> = {
    ...DIRECTORY_TARGETS,
    ticket: IDS.ticket,
    approval: IDS.approval,
    message: IDS.message,
    conversation: IDS.conversation,
    report: IDS.report,
    suggestion: IDS.suggestion,
  };
  return {
    command: cell.command,
    targetId: ids[target ?? ''] ?? null,
    input: cell.command === 'act.confirm' ? confirmation(cell) : inputOf(cell),
    fingerprint: 'f1',
  };
}

function confirmation(cell: Pick<Still, 'command' | 'role'>): unknown {
  return { decision: 'CONFIRM', action_digest: digestOf(cell) };
}

function digestOf(cell: Pick<Still, 'command' | 'role'>): string {
  return cell.command === 'act.confirm' ? actFor(cell.role).act.action_digest : approvalRow().action_digest;
}

export function callerOf(cell: Cell): Caller {
  const isService = cell.service === 'gateway' || cell.service === 'worker';
  const personal = cell.kind === 'link' ? 'link' : 'person';
  const scope =
    cell.agent !== null ? 'turn' : isService ? 'service' : cell.service === 'identity' ? 'step-up' : personal;
  return {
    tenantId: IDS.tenant,
    service: cell.service,
    subject: { kind: cell.kind, id: SUBJECT_OF[cell.role] ?? null },
    assurance: cell.assurance,
    agent: cell.agent === null ? null : { role: cell.agent, turnId: IDS.turn },
    scope,
    context: {
      ...NO_CONTEXT,
      conversationId: cell.agent === null ? null : IDS.conversation,
      actionDigest: scope === 'step-up' ? digestOf(cell) : null,
    },
  };
}

/** Facts under which every rule accepts once its gate lets it through; only what the cell says is in the way. */
export function factsOf(cell: Still): Facts {
  const isOfTenant = cell.kind === 'staff' || cell.kind === 'system';
  const ticket = cell.state === 'none' ? null : ticketOf(cell, cell.state);
  const approval = approvalOf(cell);
  const isOpen = ticket !== null && ticket.state !== 'CLOSED' && ticket.state !== 'CANCELLED';
  const isAboutTicket = findCommand(cell.command)?.target !== 'none';
  return emptyFacts({
    ...placeFacts(),
    tenant: {
      id: isOfTenant && cell.membership === 'other' ? IDS.otherTenant : IDS.tenant,
      autonomy_version: 1,
    },
    subject: subjectOf(cell),
    ticket,
    requester_person_id: ticket?.requester_id ? personOf(ticket.requester_id) : null,
    visit: visitOf(cell),
    technician: technicianFacts(),
    roster: [technicianFacts()],
    schedule: scheduleOf(cell.command, cell.agent === null && cell.kind === 'system'),
    tapped_link: cell.command === 'choice.make' ? tapOf(cell.membership) : null,
    directory: directoryFacts(cell.command === 'act.confirm' ? actFor(cell.role) : {}),
    batch: batchFacts(),
    publications: publicationsFor(requestOf(cell).input),
    approval,
    approvals: isAsking(cell) ? [approval] : [],
    approvers: [approverFacts()],
    evidence: completeEvidence(),
    tests: completeTests(),
    evidence_item: evidenceRow({
      created_by_kind: cell.kind,
      created_by_id: SUBJECT_OF[cell.role] ?? IDS.otherPerson,
    }),
    open_uploads: 0,
    observed_object: observedObject(),
    costs: { parts: [], minutes: 0 },
    completion: {
      id: IDS.completion,
      submitted_by: IDS.technician,
      open_remedies: cell.command === 'remedy.submit' ? [{ key: 'work', since: at(-1) }] : [],
    },
    invoice: invoiceOf(cell),
    conversation: conversationRow(cell.command === 'conversation.hand_back' ? { state: 'HUMAN' } : {}),
    turn: turnRow({
      agent_role: cell.agent ?? 'agent.intake',
      subject_kind: cell.kind,
      subject_id: SUBJECT_OF[cell.role] ?? (null as unknown as string),
      ticket_id: isAboutTicket
        ? cell.membership === 'account'
          ? IDS.otherTicket
          : IDS.ticket
        : isOpen
          ? IDS.ticket
          : null,
    }),
    open_ticket_of_conversation: isAboutTicket || !isOpen ? null : ticket,
    message: messageRow(),
    inbound: {
      known_message_id: null,
      contact_id: IDS.requester,
      contact_account_ids: [IDS.account],
      site_ids: [IDS.site],
      conversation: conversationRow(),
      reported_today: false,
      schedule: null,
    },
    ...lifeFacts(cell.command, cell.role),
  });
}

function subjectOf(cell: Still): SubjectFacts | null {
  const id = SUBJECT_OF[cell.role];
  if (id === undefined) return null;
  const elsewhere =
    cell.membership === 'other' ? { account_id: IDS.otherAccount, site_id: IDS.otherSite } : {};
  switch (cell.role) {
    case 'requester':
      return contact(id, membership(elsewhere));
    case 'approver':
      return contact(
        id,
        membership({
          site_id: cell.membership === 'own' ? null : IDS.otherSite,
          ...elsewhere,
          may_request: false,
          may_approve: true,
          approval_limit_cents: 500_000,
        }),
      );
    case 'technician':
      return technicianSubject(id);
    case 'unknown_sender':
    case 'link':
    case 'system':
      return null;
    default:
      return staffMember(id, cell.role);
  }
}

function ticketOf(cell: Still, state: TicketState) {
  const isPaused = state === 'APPROVAL_REQUIRED' || state === 'ON_HOLD';
  const isOpener = cell.membership === 'own' || cell.agent !== null;
  return ticketRow({
    state,
    // What is urgent is moved and sent by people alone.
    ...(cell.agent === null ? {} : { priority: 'ROUTINE' }),
    resume_state: isPaused ? resumeStateOf(cell, state) : null,
    requester_id: isOpener ? IDS.requester : IDS.otherPerson,
  });
}

/** A question that is open while the ticket is on hold is what it waits for. */
function resumeStateOf({ command }: Still, state: TicketState): TicketState {
  return state === 'ON_HOLD' && command.startsWith('approval.') ? 'APPROVAL_REQUIRED' : 'IN_PROGRESS';
}

function visitOf(cell: Still): VisitRow | null {
  const trip = tripOf(cell.command);
  if (trip !== undefined) {
    const isOther = cell.role === 'technician' && cell.membership !== 'own';
    return trip && visitRow({ ...trip, ...(isOther ? { technician_id: IDS.otherPerson } : {}) });
  }
  const none = ['visit.dispatch_emergency', 'ticket.cancel', 'billing.generate_invoice'];
  if (none.includes(cell.command)) return null;
  const state = { 'visit.accept': 'OFFERED', 'tech.check_in': 'ACCEPTED' }[cell.command] ?? 'ON_SITE';
  return visitRow({
    state: state as VisitRow['state'],
    technician_id: cell.role === 'technician' && cell.membership !== 'own' ? IDS.otherPerson : IDS.technician,
  });
}

function isAsking(cell: Still): boolean {
  return cell.command.startsWith('approval.')
    ? cell.command !== 'approval.request'
    : ['ticket.cancel', 'tech.check_out'].includes(cell.command) && cell.state === 'APPROVAL_REQUIRED';
}

function approvalOf(cell: Still): ApprovalRow {
  return approvalRow(cell.command === 'approval.expire' ? { expires_at: at(-1) } : {});
}

function invoiceOf(cell: Still) {
  switch (cell.command) {
    case 'billing.generate_invoice':
      return null;
    case 'payment.record':
      return invoiceRow({ state: 'ISSUED' });
    case 'ticket.close':
      return invoiceRow({ state: 'PAID', paid_at: at(-25 * HOUR) });
    default:
      return invoiceRow();
  }
}
