import type { TicketState } from '@deadlatch/catalogue';
import { findCommand } from '@deadlatch/catalogue';
import type { Caller, CommandRequest } from '../caller.ts';
import type { Facts, SubjectFacts } from '../facts.ts';
import type { ApprovalRow, VisitRow } from '../rows.ts';
import { NO_CONTEXT } from './callers.ts';
import { completeEvidence, completeTests, emptyFacts, placeFacts } from './facts.ts';
import { IDS, personOf } from './ids.ts';
import type { Cell } from './matrix-cells.ts';
import { AGENT_INPUTS, PERSON_INPUTS } from './matrix-inputs.ts';
import {
  approvalRow,
  approverFacts,
  at,
  contact,
  conversationRow,
  evidenceRow,
  invoiceRow,
  membership,
  messageRow,
  staffMember,
  technicianFacts,
  technicianSubject,
  ticketRow,
  turnRow,
  visitRow,
} from './rows.ts';

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

type Still = Omit<Cell, 'assurance' | 'autonomy' | 'paused' | 'human'>;

export function requestOf(cell: Still): CommandRequest {
  const target = findCommand(cell.command)?.target;
  const ids: Readonly<Record<string, string>> = {
    ticket: IDS.ticket,
    approval: IDS.approval,
    message: IDS.message,
  };
  return {
    command: cell.command,
    targetId: ids[target ?? ''] ?? null,
    input: (cell.agent === null ? PERSON_INPUTS : AGENT_INPUTS)[cell.command],
    fingerprint: 'f1',
  };
}

export function callerOf(cell: Cell): Caller {
  const isService = cell.service === 'gateway' || cell.service === 'worker';
  const scope =
    cell.agent !== null ? 'turn' : isService ? 'service' : cell.service === 'identity' ? 'step-up' : 'person';
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
      actionDigest: scope === 'step-up' ? approvalRow().action_digest : null,
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
    approval,
    approvals: isAsking(cell) ? [approval] : [],
    approvers: [approverFacts()],
    evidence: completeEvidence(),
    tests: completeTests(),
    evidence_item: evidenceRow({
      created_by_kind: cell.kind,
      created_by_id: SUBJECT_OF[cell.role] ?? IDS.otherPerson,
    }),
    observed_object: { sha256: 'a'.repeat(64), size_bytes: 1_000, content_key: 'k' },
    costs: { parts: [], minutes: 0 },
    completion: {
      id: IDS.completion,
      submitted_by: IDS.technician,
      open_remedies: cell.command === 'remedy.submit' ? [{ key: 'work', since: at(-1) }] : [],
    },
    invoice: invoiceOf(cell),
    conversation: conversationRow(),
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
    },
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
    resume_state: isPaused ? 'IN_PROGRESS' : null,
    requester_id: isOpener ? IDS.requester : IDS.otherPerson,
  });
}

function visitOf(cell: Still): VisitRow | null {
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
    : cell.command === 'ticket.cancel' && cell.state === 'APPROVAL_REQUIRED';
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
      return invoiceRow({ state: 'PAID' });
    default:
      return invoiceRow();
  }
}
