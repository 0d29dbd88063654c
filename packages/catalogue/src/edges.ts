import { COMMANDS } from './commands.ts';
import {
  type ActState,
  type ApprovalState,
  type ConversationState,
  type DirectoryState,
  type EvidenceState,
  type InvoiceState,
  type ObjectKind,
  type SuggestionState,
  TICKET_STATES,
  type TicketState,
  type VisitState,
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
  // The time that was promised is over, so another has to be agreed.
  ...ticket('visit.miss', ['DISPATCHED'], ['READY_TO_SCHEDULE']),
  ...ticket('tech.check_in', ['DISPATCHED'], ['ON_SITE']),
  ...ticket('tech.start', ['ON_SITE'], ['IN_PROGRESS']),
  ...ticket('ticket.hold', ['DISPATCHED', ...WORKING], ['ON_HOLD'], 'pause'),
  ...ticket('ticket.resume', ['ON_HOLD'], ['DISPATCHED', ...WORKING, 'READY_TO_SCHEDULE'], 'resume'),
  ...ticket('tech.request_change', WORKING, ['APPROVAL_REQUIRED'], 'pause'),
  ...ticket('approval.decide', ['APPROVAL_REQUIRED'], [...ASKED_FROM, 'READY_TO_SCHEDULE'], 'resume'),
  ...ticket('approval.withdraw', ['APPROVAL_REQUIRED'], ASKED_FROM, 'resume'),
  ...ticket('approval.expire', ['APPROVAL_REQUIRED'], ASKED_FROM, 'resume'),
  // The technician left while the question was open: whatever the answer, the work needs another trip.
  ...ticket('approval.decide', ['ON_HOLD'], ['READY_TO_SCHEDULE'], 'resume'),
  ...ticket('approval.withdraw', ['ON_HOLD'], ['READY_TO_SCHEDULE'], 'resume'),
  ...ticket('approval.expire', ['ON_HOLD'], ['READY_TO_SCHEDULE'], 'resume'),
  // A backup was restored: what waits for a yes must be asked again.
  ...ticket(RESTORE, ['APPROVAL_REQUIRED'], ASKED_FROM, 'resume'),
  ...ticket(RESTORE, ['ON_HOLD'], ['READY_TO_SCHEDULE'], 'resume'),
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
  // The first of two signatures, and what the second does.
  ...ticket('billing.void', ['INVOICED'], ['INVOICED', 'VERIFIED']),
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
  // Beside the state: that a person was told.
  ...visit('visit.escalate', ['OFFERED'], ['OFFERED']),
  ...visit('visit.accept', ['OFFERED'], ['ACCEPTED']),
  ...visit('visit.decline', ['OFFERED'], ['DECLINED']),
  ...visit('visit.depart', ['ACCEPTED'], ['EN_ROUTE']),
  ...visit('visit.miss', ['OFFERED'], ['CANCELLED']),
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
  ...edges<ConversationState>('conversation', 'ticket.reopen', ['AGENT', 'HUMAN'], 'same'),
  ...edges<ConversationState>('conversation', 'ticket.link_duplicate', ['AGENT', 'HUMAN'], 'same'),
  // The words go on and are about nothing until the next ticket.
  ...edges<ConversationState>('conversation', 'ticket.close', ['AGENT', 'HUMAN'], 'same'),
  ...edges<ConversationState>('conversation', 'ticket.cancel', ['AGENT', 'HUMAN'], 'same'),
  { object: 'conversation', command: 'conversation.take_over', from: 'AGENT', to: 'HUMAN', mode: 'plain' },
  { object: 'conversation', command: 'conversation.hand_back', from: 'HUMAN', to: 'AGENT', mode: 'plain' },
  ...edges<ConversationState>('conversation', 'conversation.close', ['AGENT', 'HUMAN'], ['CLOSED']),
];

/** Not a command that a service could send: the operator's, who puts the first people and places on file. */
export const BOOTSTRAP = 'operator.bootstrap';

const onFile = (
  object: ObjectKind,
  command: string,
  from: readonly (DirectoryState | '-')[],
  to: readonly DirectoryState[],
) => edges<DirectoryState>(object, command, from, to);

export const DIRECTORY_EDGES: readonly Edge[] = [
  ...(['account', 'site', 'contact', 'membership', 'staff', 'technician'] as const).flatMap((object) =>
    onFile(object, BOOTSTRAP, ['-'], ['ACTIVE']),
  ),
  ...onFile('account', 'account.create', ['-'], ['ACTIVE']),
  ...onFile('account', 'account.change', ['ACTIVE'], ['ACTIVE']),
  ...onFile('account', 'autonomy.set', ['ACTIVE'], ['ACTIVE']),
  ...onFile('account', 'act.confirm', ['ACTIVE'], ['ACTIVE']),
  ...onFile('site', 'site.create', ['-'], ['ACTIVE']),
  ...onFile('site', 'site.change', ['ACTIVE'], ['ACTIVE']),
  ...onFile('asset', 'asset.create', ['-'], ['ACTIVE']),
  ...onFile('asset', 'asset.change', ['ACTIVE'], ['ACTIVE']),
  ...onFile('asset', 'asset.retire', ['ACTIVE'], ['INACTIVE']),
  ...onFile('technician', 'technician.create', ['-'], ['ACTIVE']),
  ...onFile('technician', 'technician.change', ['ACTIVE'], ['ACTIVE']),
  ...onFile('technician', 'technician.deactivate', ['ACTIVE'], ['INACTIVE']),
  // Contacts and their rights change by what was confirmed, and by nothing else.
  ...onFile('contact', 'act.confirm', ['-'], ['ACTIVE']),
  ...onFile('contact', 'act.confirm', ['ACTIVE'], ['ACTIVE', 'INACTIVE']),
  ...onFile('membership', 'act.confirm', ['-', 'ACTIVE'], ['ACTIVE']),
];

/** What can be asked for and confirmed. */
const ASKED = [
  'account.change',
  'contact.add',
  'contact.import',
  'contact.change',
  'contact.deactivate',
  'contact.reset',
  'contact.set_limit',
] as const;

export const ACT_EDGES: readonly Edge[] = [
  ...ASKED.flatMap((command) => edges<ActState>('act', command, ['-'], ['PENDING'])),
  // The first of two has confirmed.
  ...edges<ActState>('act', 'act.confirm', ['PENDING'], ['PENDING', 'CONSUMED', 'DENIED']),
];

const SERVED_EDGES: readonly Edge[] = [
  ...TICKET_EDGES,
  ...VISIT_EDGES,
  ...APPROVAL_EDGES,
  ...INVOICE_EDGES,
  ...EVIDENCE_EDGES,
  ...CONVERSATION_EDGES,
  ...DIRECTORY_EDGES,
  ...ACT_EDGES,
];

/** What an agent's pair and a dispatcher both hold: below its level the agent leaves a suggestion. */
const SUGGESTIBLE: readonly string[] = COMMANDS.filter(
  ({ agents, who }) => agents.length > 0 && who.some((grant) => grant.role === 'dispatcher'),
).map(({ name }) => name);

const suggestion = (
  command: string,
  from: readonly (SuggestionState | '-')[],
  to: readonly SuggestionState[],
) => edges<SuggestionState>('suggestion', command, from, to);

export const SUGGESTION_EDGES: readonly Edge[] = [
  ...SUGGESTIBLE.flatMap((command) => suggestion(command, ['-'], ['OPEN'])),
  ...suggestion('suggestion.accept', ['OPEN'], ['ACCEPTED']),
  ...suggestion('suggestion.reject', ['OPEN'], ['REJECTED']),
  ...suggestion('suggestion.expire', ['OPEN'], ['EXPIRED']),
];

/** Accepting does what was suggested: its edges are those of every command that can be. */
const ACCEPTED_EDGES: readonly Edge[] = [
  ...new Map(
    SERVED_EDGES.filter((edge) => SUGGESTIBLE.includes(edge.command)).map((edge) => [
      [edge.object, edge.from, edge.to].join(' '),
      { ...edge, command: 'suggestion.accept' },
    ]),
  ).values(),
];

export const ALL_EDGES: readonly Edge[] = [...SERVED_EDGES, ...SUGGESTION_EDGES, ...ACCEPTED_EDGES];

/** Commands about a ticket that leave it as it is: what they make or send is another row. */
const BESIDE_TICKET: readonly (readonly [command: string, states: readonly TicketState[]])[] = [
  ['ticket.reopen', ['VERIFIED', 'INVOICED', 'CLOSED']],
  ['message.send', TICKET_STATES],
  ['visit.escalate', ['DISPATCHED']],
];

const TICKET_SOURCES: ReadonlyMap<string, readonly TicketState[]> = (() => {
  const sources = new Map<string, readonly TicketState[]>(BESIDE_TICKET);
  for (const { command, from } of TICKET_EDGES) {
    const known = sources.get(command) ?? [];
    const state = TICKET_STATES.find((s) => s === from);
    if (state !== undefined && !known.includes(state)) sources.set(command, [...known, state]);
  }
  return sources;
})();

/** Ticket states from which `command` may start; empty when it is not about an existing ticket. */
export function ticketSources(command: string): readonly TicketState[] {
  return TICKET_SOURCES.get(command) ?? [];
}
