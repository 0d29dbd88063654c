/** Closed sets of states. Ticket (promise), visit (trip), approval (money) and conversation (words) are four life cycles. */

export const TICKET_STATES = [
  'NEW',
  'NEEDS_INFO',
  'TRIAGED',
  'APPROVAL_REQUIRED',
  'READY_TO_SCHEDULE',
  'SCHEDULE_PROPOSED',
  'SCHEDULED',
  'DISPATCHED',
  'ON_SITE',
  'IN_PROGRESS',
  'ON_HOLD',
  'COMPLETED_PENDING_VERIFICATION',
  'VERIFIED',
  'INVOICED',
  'CLOSED',
  'CANCELLED',
] as const;
export type TicketState = (typeof TICKET_STATES)[number];

/** From here no command leads on; a reopen makes a linked ticket instead. */
export const TERMINAL_TICKET_STATES = ['CLOSED', 'CANCELLED'] as const satisfies readonly TicketState[];

export const VISIT_STATES = [
  'OFFERED',
  'ACCEPTED',
  'DECLINED',
  'CANCELLED',
  'EN_ROUTE',
  'ON_SITE',
  'MISSED',
  'CHECKED_OUT',
] as const;
export type VisitState = (typeof VISIT_STATES)[number];

/** A ticket has at most one visit outside these states. */
export const TERMINAL_VISIT_STATES = [
  'DECLINED',
  'CANCELLED',
  'MISSED',
  'CHECKED_OUT',
] as const satisfies readonly VisitState[];

export const APPROVAL_STATES = ['PENDING', 'CONSUMED', 'DENIED', 'EXPIRED', 'WITHDRAWN', 'VOID'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export const INVOICE_STATES = ['DRAFT', 'ISSUED', 'PAID', 'DISPUTED', 'VOID'] as const;
export type InvoiceState = (typeof INVOICE_STATES)[number];

export const CONVERSATION_STATES = ['AGENT', 'HUMAN', 'CLOSED'] as const;
export type ConversationState = (typeof CONVERSATION_STATES)[number];

export const EVIDENCE_STATES = ['PRESIGNED', 'FINALIZED'] as const;
export type EvidenceState = (typeof EVIDENCE_STATES)[number];

export const MESSAGE_STATES = ['RECEIVED', 'QUEUED', 'SENT', 'DELIVERED', 'FAILED', 'SUPERSEDED'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

export const PRIORITIES = ['ROUTINE', 'URGENT', 'EMERGENCY'] as const;
export type Priority = (typeof PRIORITIES)[number];

export const OUTCOMES = ['RESOLVED', 'TEMPORARY_REPAIR', 'CANNOT_COMPLETE', 'NO_FAULT', 'NO_ACCESS'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Of what an agent wanted and may not do by itself. */
export const SUGGESTION_STATES = ['OPEN', 'ACCEPTED', 'REJECTED', 'EXPIRED'] as const;
export type SuggestionState = (typeof SUGGESTION_STATES)[number];

/** Of what is on file: in force, or taken out of use for good. */
export const DIRECTORY_STATES = ['ACTIVE', 'INACTIVE'] as const;
export type DirectoryState = (typeof DIRECTORY_STATES)[number];

/** Of an act that was asked for and waits to be confirmed. */
export const ACT_STATES = ['PENDING', 'CONSUMED', 'DENIED'] as const;
export type ActState = (typeof ACT_STATES)[number];

/** The life cycles whose every version is tied to an audit event by a foreign key. */
export const OBJECT_KINDS = [
  'ticket',
  'visit',
  'approval',
  'invoice',
  'evidence',
  'conversation',
  'suggestion',
  'account',
  'site',
  'asset',
  'contact',
  'membership',
  'staff',
  'technician',
  'act',
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];
