import type {
  ApprovalState,
  ConversationState,
  EvidenceState,
  InvoiceState,
  ObjectKind,
  TicketState,
  VisitState,
} from './states.ts';

/**
 * The edge table of every life cycle, by command: the source of the database's transition table.
 * A command that does not appear here for an object cannot change that object, in code or in SQL.
 *
 * `-` as a source means "comes into being". An edge from a state to itself is a change beside the state.
 */
export type EdgeMode =
  /** any object in `from` may go to `to` */
  | 'plain'
  /** enters APPROVAL_REQUIRED or ON_HOLD: remembers exactly where it came from */
  | 'pause'
  /** leaves them: `to` must be the remembered state, or READY_TO_SCHEDULE where the table lists it */
  | 'resume';

export interface Edge {
  readonly object: ObjectKind;
  readonly command: string;
  readonly from: string;
  readonly to: string;
  readonly mode: EdgeMode;
}

function edges<S extends string>(
  object: ObjectKind,
  command: string,
  from: readonly (S | '-')[],
  to: readonly S[] | 'same',
  mode: EdgeMode = 'plain',
): Edge[] {
  return from.flatMap((f) =>
    (to === 'same' ? [f as S] : to).map((t) => ({ object, command, from: f, to: t, mode })),
  );
}

const ticket = (
  command: string,
  from: readonly (TicketState | '-')[],
  to: readonly TicketState[] | 'same',
  mode: EdgeMode = 'plain',
) => edges<TicketState>('ticket', command, from, to, mode);

/** Not a command that a service could send: the operator's, after two people accepted a restored backup. */
export const RESTORE = 'operator.restore';

const CPV = 'COMPLETED_PENDING_VERIFICATION' as const;
const WORKING = ['ON_SITE', 'IN_PROGRESS'] as const;
const EVIDENCE_AT = [
  'NEW',
  'NEEDS_INFO',
  'DISPATCHED',
  'ON_SITE',
  'IN_PROGRESS',
  'APPROVAL_REQUIRED',
  'ON_HOLD',
  CPV,
] as const;
/** Where an approval can have been asked from. */
const ASKED_FROM = ['TRIAGED', 'ON_SITE', 'IN_PROGRESS'] as const;
const BEFORE_DISPATCH = ['TRIAGED', 'READY_TO_SCHEDULE', 'SCHEDULE_PROPOSED', 'SCHEDULED'] as const;

export const TICKET_EDGES: readonly Edge[] = [
  ...ticket('ticket.create', ['-'], ['NEW']),
  ...ticket('report.attach', ['-'], ['NEW']),
  ...ticket('ticket.reopen', ['-'], ['NEW']),
  ...ticket('ticket.request_info', ['NEW', 'TRIAGED'], ['NEEDS_INFO']),
  ...ticket('ticket.provide_info', ['NEEDS_INFO'], ['NEW']),
  ...ticket('ticket.triage', ['NEW', 'NEEDS_INFO'], ['TRIAGED']),
  ...ticket('ticket.link_duplicate', ['NEW', 'NEEDS_INFO', 'TRIAGED'], ['CANCELLED']),
  ...ticket('ticket.retriage', BEFORE_DISPATCH, 'same'),
  ...ticket('approval.request', ['TRIAGED'], ['APPROVAL_REQUIRED'], 'pause'),
  ...ticket('ticket.ready', ['TRIAGED'], ['READY_TO_SCHEDULE']),
  ...ticket('schedule.propose', ['READY_TO_SCHEDULE'], ['SCHEDULE_PROPOSED']),
  ...ticket('schedule.confirm', ['SCHEDULE_PROPOSED'], ['SCHEDULED']),
  ...ticket('schedule.release', ['SCHEDULE_PROPOSED'], ['READY_TO_SCHEDULE']),
  ...ticket('schedule.reschedule', ['SCHEDULED', 'DISPATCHED'], ['READY_TO_SCHEDULE']),
  ...ticket('visit.dispatch', ['SCHEDULED'], ['DISPATCHED']),
  ...ticket('visit.dispatch_emergency', ['TRIAGED', 'READY_TO_SCHEDULE', 'SCHEDULED'], ['DISPATCHED']),
  ...ticket('visit.accept', ['DISPATCHED'], 'same'),
  ...ticket('visit.depart', ['DISPATCHED'], 'same'),
  ...ticket('visit.decline', ['DISPATCHED'], ['SCHEDULED', 'READY_TO_SCHEDULE']),
  ...ticket('visit.reassign', ['DISPATCHED'], 'same'),
  ...ticket('tech.check_in', ['DISPATCHED'], ['ON_SITE']),
  ...ticket('tech.start', ['ON_SITE'], ['IN_PROGRESS']),
  ...ticket('ticket.hold', ['DISPATCHED', ...WORKING], ['ON_HOLD'], 'pause'),
  ...ticket(
    'ticket.resume',
    ['ON_HOLD'],
    ['DISPATCHED', ...WORKING, 'READY_TO_SCHEDULE', 'APPROVAL_REQUIRED'],
    'resume',
  ),
  ...ticket('tech.request_change', WORKING, ['APPROVAL_REQUIRED'], 'pause'),
  ...ticket('approval.decide', ['APPROVAL_REQUIRED'], [...ASKED_FROM, 'READY_TO_SCHEDULE'], 'resume'),
  ...ticket('approval.withdraw', ['APPROVAL_REQUIRED'], ASKED_FROM, 'resume'),
  ...ticket('approval.expire', ['APPROVAL_REQUIRED'], ASKED_FROM, 'resume'),
  // A backup was restored: what waits for a yes must be asked again.
  ...ticket(RESTORE, ['APPROVAL_REQUIRED'], ASKED_FROM, 'resume'),
  ...ticket('evidence.presign', EVIDENCE_AT, 'same'),
  ...ticket('evidence.finalize', EVIDENCE_AT, 'same'),
  ...ticket('evidence.waive', ['IN_PROGRESS', CPV], 'same'),
  ...ticket('part.record', WORKING, 'same'),
  ...ticket('time.record', WORKING, 'same'),
  ...ticket('test.record', WORKING, 'same'),
  ...ticket('tech.check_out', ['APPROVAL_REQUIRED', ...WORKING], ['ON_HOLD'], 'pause'),
  ...ticket('tech.check_out', WORKING, ['READY_TO_SCHEDULE']),
  ...ticket('tech.check_out', [CPV], 'same'),
  ...ticket('tech.complete', ['IN_PROGRESS'], [CPV]),
  ...ticket('qa.verify', [CPV], ['VERIFIED', CPV, 'READY_TO_SCHEDULE']),
  ...ticket('remedy.submit', [CPV], 'same'),
  ...ticket('billing.generate_invoice', ['VERIFIED'], ['INVOICED']),
  ...ticket('billing.issue', ['INVOICED'], 'same'),
  ...ticket('billing.dispute', ['INVOICED'], 'same'),
  ...ticket('billing.void', ['INVOICED'], ['VERIFIED']),
  ...ticket('payment.record', ['INVOICED'], 'same'),
  ...ticket('ticket.close', ['INVOICED'], ['CLOSED']),
  ...ticket(
    'ticket.cancel',
    ['NEW', 'NEEDS_INFO', ...BEFORE_DISPATCH, 'DISPATCHED', 'APPROVAL_REQUIRED'],
    ['CANCELLED'],
  ),
];

const visit = (command: string, from: readonly (VisitState | '-')[], to: readonly VisitState[]) =>
  edges<VisitState>('visit', command, from, to);
const approval = (command: string, from: readonly (ApprovalState | '-')[], to: readonly ApprovalState[]) =>
  edges<ApprovalState>('approval', command, from, to);
const invoice = (command: string, from: readonly (InvoiceState | '-')[], to: readonly InvoiceState[]) =>
  edges<InvoiceState>('invoice', command, from, to);
const evidence = (command: string, from: readonly (EvidenceState | '-')[], to: readonly EvidenceState[]) =>
  edges<EvidenceState>('evidence', command, from, to);

export const VISIT_EDGES: readonly Edge[] = [
  ...visit('visit.dispatch', ['-'], ['OFFERED']),
  ...visit('visit.dispatch_emergency', ['-'], ['OFFERED']),
  ...visit('visit.reassign', ['-'], ['OFFERED']),
  ...visit('visit.reassign', ['OFFERED', 'ACCEPTED', 'EN_ROUTE'], ['CANCELLED']),
  ...visit('visit.accept', ['OFFERED'], ['ACCEPTED']),
  ...visit('visit.decline', ['OFFERED'], ['DECLINED']),
  ...visit('visit.depart', ['ACCEPTED'], ['EN_ROUTE']),
  ...visit('visit.miss', ['ACCEPTED', 'EN_ROUTE'], ['MISSED']),
  ...visit('tech.check_in', ['ACCEPTED', 'EN_ROUTE'], ['ON_SITE']),
  // Beside the state: when the work began.
  ...visit('tech.start', ['ON_SITE'], ['ON_SITE']),
  ...visit('tech.check_out', ['ON_SITE'], ['CHECKED_OUT']),
  // Verified, or sent back for another trip: this trip is over either way, and its technician is free.
  ...visit('qa.verify', ['ON_SITE'], ['CHECKED_OUT']),
  ...visit('ticket.resume', ['ON_SITE'], ['CHECKED_OUT']),
  ...visit('ticket.resume', ['OFFERED', 'ACCEPTED', 'EN_ROUTE'], ['CANCELLED']),
  ...visit('schedule.reschedule', ['OFFERED', 'ACCEPTED'], ['CANCELLED']),
  ...visit('ticket.cancel', ['OFFERED', 'ACCEPTED', 'EN_ROUTE'], ['CANCELLED']),
];

export const APPROVAL_EDGES: readonly Edge[] = [
  ...approval('approval.request', ['-'], ['PENDING']),
  ...approval('tech.request_change', ['-'], ['PENDING']),
  ...approval('approval.decide', ['PENDING'], ['CONSUMED', 'DENIED']),
  ...approval('approval.withdraw', ['PENDING'], ['WITHDRAWN']),
  ...approval('approval.expire', ['PENDING'], ['EXPIRED']),
  ...approval('ticket.cancel', ['PENDING'], ['VOID']),
  ...approval(RESTORE, ['PENDING'], ['VOID']),
];

export const INVOICE_EDGES: readonly Edge[] = [
  ...invoice('billing.generate_invoice', ['-'], ['DRAFT']),
  ...invoice('billing.issue', ['DRAFT', 'DISPUTED'], ['ISSUED']),
  ...invoice('billing.dispute', ['ISSUED'], ['DISPUTED']),
  ...invoice('billing.void', ['DRAFT', 'ISSUED', 'DISPUTED'], ['VOID']),
  ...invoice('payment.record', ['ISSUED'], ['PAID']),
];

export const EVIDENCE_EDGES: readonly Edge[] = [
  ...evidence('evidence.presign', ['-'], ['PRESIGNED']),
  ...evidence('evidence.finalize', ['PRESIGNED'], ['FINALIZED']),
];

export const CONVERSATION_EDGES: readonly Edge[] = [
  { object: 'conversation', command: 'message.receive', from: '-', to: 'AGENT', mode: 'plain' },
  // Beside the state: which ticket the words are about.
  { object: 'conversation', command: 'ticket.create', from: 'AGENT', to: 'AGENT', mode: 'plain' },
  // The words go on and are about nothing until the next ticket.
  ...edges<ConversationState>('conversation', 'ticket.close', ['AGENT', 'HUMAN'], 'same'),
  ...edges<ConversationState>('conversation', 'ticket.cancel', ['AGENT', 'HUMAN'], 'same'),
  { object: 'conversation', command: 'conversation.take_over', from: 'AGENT', to: 'HUMAN', mode: 'plain' },
  { object: 'conversation', command: 'conversation.hand_back', from: 'HUMAN', to: 'AGENT', mode: 'plain' },
];

export const ALL_EDGES: readonly Edge[] = [
  ...TICKET_EDGES,
  ...VISIT_EDGES,
  ...APPROVAL_EDGES,
  ...INVOICE_EDGES,
  ...EVIDENCE_EDGES,
  ...CONVERSATION_EDGES,
];

/** Ticket states from which `command` may start; empty when it does not touch an existing ticket. */
export function ticketSources(command: string): readonly TicketState[] {
  const found = TICKET_EDGES.filter((e) => e.command === command && e.from !== '-').map(
    (e) => e.from as TicketState,
  );
  return [...new Set(found)];
}
