import type {
  ApprovalKind,
  ApprovalState,
  IncidentType,
  InvoiceState,
  MessageTemplate,
  Outcome,
  Priority,
  TicketState,
  VisitState,
} from '@deadlatch/catalogue';

/**
 * Every English word a person reads in the console stands in this folder. Closed sets are spelled out, so a new state or
 * refusal without words does not compile; open sets (commands, questions) fall back to the name in plain letters.
 */
export const STATE_WORDS: Readonly<Record<TicketState, string>> = {
  NEW: 'New',
  NEEDS_INFO: 'Needs information',
  TRIAGED: 'Triaged',
  APPROVAL_REQUIRED: 'Waiting for approval',
  READY_TO_SCHEDULE: 'Ready to schedule',
  SCHEDULE_PROPOSED: 'Times proposed',
  SCHEDULED: 'Scheduled',
  DISPATCHED: 'Dispatched',
  ON_SITE: 'On site',
  IN_PROGRESS: 'In progress',
  ON_HOLD: 'On hold',
  COMPLETED_PENDING_VERIFICATION: 'To be verified',
  VERIFIED: 'Verified',
  INVOICED: 'Invoiced',
  CLOSED: 'Closed',
  CANCELLED: 'Cancelled',
};

/** Who moves the work on from here, and with what. */
export const NEXT_WORDS: Readonly<Record<TicketState, string>> = {
  NEW: 'The agent or a dispatcher triages',
  NEEDS_INFO: 'The customer answers by text',
  TRIAGED: 'A dispatcher sends somebody',
  APPROVAL_REQUIRED: 'The approver decides',
  READY_TO_SCHEDULE: 'Times are offered to the customer',
  SCHEDULE_PROPOSED: 'The customer chooses a time',
  SCHEDULED: 'A dispatcher sends somebody',
  DISPATCHED: 'The technician checks in',
  ON_SITE: 'The technician takes photos and starts',
  IN_PROGRESS: 'The technician finishes and hands in',
  ON_HOLD: 'The technician or a dispatcher resumes',
  COMPLETED_PENDING_VERIFICATION: 'Quality verifies the work',
  VERIFIED: 'Finance makes the invoice',
  INVOICED: 'Finance issues it and records the payment',
  CLOSED: 'Nothing: this is the end',
  CANCELLED: 'Nothing: this is the end',
};

export const NEXT_INVOICE_WORDS: Readonly<Record<InvoiceState, string>> = {
  DRAFT: 'Finance issues the invoice',
  ISSUED: 'Finance records the payment',
  PAID: 'Finance closes the ticket',
  DISPUTED: 'Finance settles the dispute',
  VOID: 'Finance makes a new invoice',
};

export const PRIORITY_WORDS: Readonly<Record<Priority, string>> = {
  ROUTINE: 'Routine',
  URGENT: 'Urgent',
  EMERGENCY: 'Emergency',
};

/** What the queue can be narrowed to. */
export const QUEUE_PRIORITY_WORDS: Readonly<Record<Priority | 'NONE', string>> = {
  EMERGENCY: PRIORITY_WORDS.EMERGENCY,
  NONE: 'Not triaged',
  URGENT: PRIORITY_WORDS.URGENT,
  ROUTINE: PRIORITY_WORDS.ROUTINE,
};

export const VISIT_WORDS: Readonly<Record<VisitState, string>> = {
  OFFERED: 'Offered, not accepted yet',
  ACCEPTED: 'Accepted',
  DECLINED: 'Declined',
  CANCELLED: 'Cancelled',
  EN_ROUTE: 'On the way',
  ON_SITE: 'On site',
  MISSED: 'Missed',
  CHECKED_OUT: 'Left the site',
};

export const APPROVAL_WORDS: Readonly<Record<ApprovalState, string>> = {
  PENDING: 'Waiting for a decision',
  CONSUMED: 'Approved',
  DENIED: 'Denied',
  EXPIRED: 'Expired without a decision',
  WITHDRAWN: 'Withdrawn',
  VOID: 'Void: what was asked changed',
};

export const APPROVAL_KIND_WORDS: Readonly<Record<ApprovalKind, string>> = {
  NTE_INCREASE: 'More money',
  PROPOSAL: 'Proposal',
  RETURN_TRIP: 'Return trip',
  AFTER_HOURS_RATE: 'After-hours rate',
  SUBSTITUTE_PART: 'Substitute part',
};

export const INCIDENT_WORDS: Readonly<Record<IncidentType, string>> = {
  DOOR_CANNOT_SECURE: 'Door cannot be secured',
  DOOR_WONT_LATCH: 'Door won’t latch',
  CLOSER_LEAK_OR_SLAM: 'Closer leaks or slams',
  AUTO_OPERATOR_FAULT: 'Automatic operator fault',
  AUTO_SENSOR_SAFETY: 'Automatic door sensor unsafe',
  GLASS_OR_FRAME_DAMAGE: 'Glass or frame damaged',
  EGRESS_OR_PANIC_HARDWARE: 'Exit or panic hardware',
  FIRE_DOOR_DEFICIENCY: 'Fire door deficiency',
  ROLLING_OR_DOCK_DOOR: 'Rolling or dock door',
  ACCESS_CONTROL_STRIKE: 'Access control or strike',
  HARDWARE_REPLACEMENT: 'Hardware replacement',
  ADA_OPERATOR_OR_THRESHOLD: 'Accessible operator or threshold',
};

/** What a message of ours is about; its text is rendered by the authority and not repeated here. */
export const TEMPLATE_WORDS: Readonly<Record<MessageTemplate, string>> = {
  M01: 'Report received',
  M02: 'Question to the customer',
  M04: 'Priority set',
  M05: 'Times offered',
  M06: 'Time agreed, or technician dispatched',
  M08: 'Technician on the way',
  M09: 'Nobody arrived in time',
  M10: 'Technician arrived',
  M11: 'Approval asked for',
  M12: 'Approval decided',
  M13: 'Work on hold',
  M14: 'Nobody could let the technician in',
  M15: 'Work completed',
  M16: 'Recall opened',
  M17: 'Invoice',
  M18: 'Ticket cancelled',
  M20: 'Told that it is a duplicate',
  M21: 'Told that a person answers now',
};

export const INVOICE_WORDS: Readonly<Record<InvoiceState, string>> = {
  DRAFT: 'Draft',
  ISSUED: 'Issued',
  PAID: 'Paid',
  DISPUTED: 'Disputed',
  VOID: 'Void',
};

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  RESOLVED: 'Resolved',
  TEMPORARY_REPAIR: 'Temporary repair',
  CANNOT_COMPLETE: 'Could not be completed',
  NO_FAULT: 'No fault found',
  NO_ACCESS: 'No access',
};

export const QUESTION_WORDS: Readonly<Record<string, string>> = {
  cannot_lock_anything: 'Is there anything that cannot be locked now?',
  open_to_public: 'Is the opening open to the public?',
  anyone_hurt: 'Is anyone hurt?',
  which_door: 'Which door is it?',
  since_when: 'Since when?',
  closes_by_itself: 'Does it close by itself?',
  exit_blocked: 'Is an exit blocked?',
  fire_or_exit_door: 'Is it a fire or exit door?',
  hit_someone: 'Did it hit someone?',
  only_entrance_stuck: 'Is it the only entrance, and stuck?',
  open_to_street: 'Is it open to the street?',
  people_near: 'Are people near it?',
  stuck_open_or_closed: 'Is it stuck, open or closed?',
  cannot_switch_off: 'Is there no way to switch it off?',
  opening_size: 'How wide and high is the opening?',
  not_safety_glass: 'Is it ordinary glass, not safety glass?',
  required_exit: 'Is it a required exit?',
  occupied_now: 'Is the building occupied now?',
  deficiency_report: 'What does the deficiency report say?',
  label_present: 'Is the fire label there?',
  jammed_open: 'Is it jammed open?',
  spring_or_cable_broken: 'Is a spring or cable broken?',
  vehicle_trapped: 'Is a vehicle trapped?',
  reader_light: 'Which light does the reader show?',
  who_can_enter: 'Who can enter now?',
  quote_number: 'What is the quote number?',
  who_is_affected: 'Who is affected?',
  no_other_route: 'Is there no other accessible route?',
};

/** What another ticket is to the one that is shown. */
export const RELATION_WORDS: Readonly<Record<string, string>> = {
  DUPLICATE: 'Also reported as',
  SURVIVOR: 'A duplicate: work goes on under',
  RECALL: 'Did not last: recalled as',
  ORIGINAL: 'A recall of',
};
