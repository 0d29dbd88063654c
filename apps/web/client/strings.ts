import type {
  AgentRole,
  ApprovalKind,
  ApprovalState,
  Assurance,
  IncidentType,
  InvoiceState,
  MessageTemplate,
  Outcome,
  PersonRole,
  Priority,
  SubjectKind,
  TicketState,
  VisitState,
} from '@deadlatch/catalogue';
import type { ErrorCode } from '@deadlatch/kernel';

// Longer than 400 lines because every English word of the console stands in this one file.

/**
 * Every English word a person reads in the console. Closed sets are spelled out, so a new state or refusal
 * without words does not compile; open sets (commands, questions) fall back to the name in plain letters.
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
  READY_TO_SCHEDULE: 'A dispatcher sends somebody',
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

/** Who did something, when the trail names no more than their kind. */
export const ACTOR_WORDS: Readonly<Record<SubjectKind, string>> = {
  contact: 'Customer',
  staff: 'Office',
  technician: 'Technician',
  unknown_sender: 'Unknown sender',
  link: 'Holder of a link',
  system: 'A timer',
};

export const AGENT_WORDS: Readonly<Record<AgentRole, string>> = {
  'agent.intake': 'The intake agent',
  'agent.scheduling': 'The scheduling agent',
  'agent.liaison': 'The liaison agent',
  'agent.closeout': 'The closeout agent',
};

/** What proves that it is really the approver. */
export const PROOF_WORDS: Readonly<Record<Assurance, string>> = {
  L0: 'None',
  L1: 'A signed-in person',
  L2: 'A one-time code',
  L3: 'A passkey',
};

/** Choices of forms, where the plain form of the code would not do. */
export const CHOICE_WORDS: Readonly<Record<string, string>> = {
  CANNOT_SECURE: 'The site cannot be secured',
  PERSON_AT_RISK: 'Somebody is at risk',
  EXIT_BLOCKED: 'An exit is blocked',
  PARTS: 'Waiting for parts',
  NO_ACCESS: 'No access to the site',
  WAITING_APPROVAL: 'Waiting for an approval',
  CUSTOMER_REQUEST: 'The customer asked for it',
  SAFETY: 'Not safe to work',
  PROVIDER: 'We do',
  CUSTOMER: 'The customer',
  THIRD_PARTY: 'Somebody else',
  FORCE_MAJEURE: 'Nobody: weather and the like',
  NOT_OUR_SITE: 'Not a site of ours',
  FIXED_ITSELF: 'It works again',
  ACH: 'Bank transfer (ACH)',
  WIRE: 'Wire transfer',
  unavailable: 'Nobody could sign',
  remedy: 'Remedy from where they are',
  return_trip: 'Go back to the site',
  stated: 'Described in words',
  unknown: 'Not known',
  work: 'The work itself',
  lock_unlock_x5: 'Lock and unlock, five times',
  egress_opens: 'The exit still opens',
  latch_cycles_of_10: 'Latched in ten cycles',
  gap: 'Gap (mm)',
  closing_time: 'Closing time (s)',
};

export const PRIORITY_WORDS: Readonly<Record<Priority, string>> = {
  ROUTINE: 'Routine',
  URGENT: 'Urgent',
  EMERGENCY: 'Emergency',
};

export const ROLE_WORDS: Readonly<Record<PersonRole, string>> = {
  requester: 'Requester',
  approver: 'Approver',
  dispatcher: 'Dispatcher',
  supervisor: 'Supervisor',
  technician: 'Technician',
  qa: 'Quality',
  finance: 'Finance',
  admin: 'Administrator',
  auditor: 'Auditor',
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
};

/** What a message of ours is about; its text is rendered by the authority and not repeated here. */
export const TEMPLATE_WORDS: Readonly<Record<MessageTemplate, string>> = {
  M01: 'Report received',
  M02: 'Question to the customer',
  M04: 'Priority set',
  M06: 'Technician dispatched',
  M10: 'Technician arrived',
  M11: 'Approval asked for',
  M12: 'Approval decided',
  M13: 'Work on hold',
  M15: 'Work completed',
  M17: 'Invoice',
  M18: 'Ticket cancelled',
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

/** Why something was refused, or cannot be done now. */
export const REFUSAL_WORDS: Readonly<Record<ErrorCode, string>> = {
  unauthenticated: 'Your sign-in has ended. Open a new sign-in link.',
  unknown_command: 'This action does not exist.',
  above_ceiling: 'This cannot be done from the console.',
  not_granted: 'Your role does not include this.',
  malformed_body: 'The request could not be read.',
  schema_mismatch: 'Something in the form is missing or out of range.',
  unsupported_media_type: 'This kind of file is not accepted.',
  payload_too_large: 'This is too large.',
  missing_idempotency_key: 'The request was incomplete. Try again.',
  not_found: 'Not found, or not yours to see.',
  turn_ended: 'The agent’s turn has ended.',
  invalid_state: 'Not possible in the ticket’s current state.',
  version_conflict: 'The ticket changed meanwhile. Look again, then retry.',
  policy_denied: 'A policy does not allow this.',
  autonomy_denied: 'The agent may not do this by itself.',
  agent_paused: 'The agent is paused.',
  human_in_charge: 'A person has taken over this conversation.',
  separation_of_duty: 'Somebody who was not involved in the work must do this.',
  nte_exceeded: 'The amount is above what may be spent on this ticket.',
  limit_exceeded: 'This is above the approver’s limit.',
  not_eligible: 'This technician is not eligible: skill, certificate, territory or shift.',
  double_booking: 'The technician has another visit at that time.',
  cooling_off: 'A contact was changed recently and cannot do this yet.',
  after_hours: 'Outside working hours this needs a supervisor as well.',
  not_due: 'This is not due yet.',
  superseded: 'This is no longer current.',
  evidence_missing: 'Required evidence is still missing.',
  evidence_mismatch: 'The stored file is not the file that was announced.',
  assurance_required: 'This needs a stronger proof of who you are.',
  digest_mismatch: 'What was shown is not what would be done. Nothing was changed.',
  code_rejected: 'The code was not accepted.',
  idempotency_key_reused: 'This form was sent before with other content. Reload the page.',
  rate_limited: 'Too many requests. Wait a moment.',
  unavailable:
    'A part of the system did not answer. Nothing is certain to have changed: look again, then retry.',
};

/** Labels of commands as buttons. */
export const COMMAND_WORDS: Readonly<Record<string, string>> = {
  'ticket.create': 'Open a ticket',
  'ticket.request_info': 'Ask for information',
  'ticket.provide_info': 'Answer questions',
  'ticket.triage': 'Triage',
  'ticket.ready': 'Ready to schedule',
  'approval.request': 'Ask for approval',
  'approval.decide': 'Decide on an approval',
  'approval.withdraw': 'Withdraw the request',
  'ticket.hold': 'Put on hold',
  'ticket.resume': 'Resume',
  'ticket.cancel': 'Cancel the ticket',
  'visit.dispatch_emergency': 'Dispatch now (emergency)',
  'visit.accept': 'Accept the visit',
  'tech.check_in': 'Check in',
  'tech.start': 'Start work',
  'tech.request_change': 'Request a change',
  'evidence.presign': 'Add a photo',
  'part.record': 'Record a part',
  'time.record': 'Record time',
  'test.record': 'Record a test',
  'tech.complete': 'Complete the work',
  'qa.verify': 'Verify the work',
  'remedy.submit': 'Submit remedies',
  'billing.generate_invoice': 'Make the invoice',
  'billing.issue': 'Issue the invoice',
  'payment.record': 'Record the payment',
  'ticket.close': 'Close the ticket',
  'autonomy.pause': 'Pause the agent',
  'autonomy.resume': 'Resume the agent',
};

/** The same as things that happened, where the button's words would not do; and what has no button. */
export const EVENT_WORDS: Readonly<Record<string, string>> = {
  ...COMMAND_WORDS,
  'message.receive': 'A message came in',
  'message.report_delivery': 'Delivery reported',
  'conversation.reply': 'A reply was sent',
  'ticket.create': 'Ticket opened',
  'evidence.presign': 'Photo announced',
  'evidence.finalize': 'Photo stored and checked',
  'code.send': 'Code sent to the approver',
  'code.try': 'Code typed',
  'approval.decide': 'Approval decided',
  'approval.expire': 'Approval expired',
};

/** What pressing the button means, in the words of who presses it; else the catalogue's summary. */
export const COMMAND_HINTS: Readonly<Record<string, string>> = {
  'ticket.create': 'For a request that came by phone or at the counter. Texts open tickets by themselves.',
  'ticket.request_info': 'The customer gets a text with these questions.',
  'ticket.triage': 'Priority follows from the answers by rule, and the limit from the contract.',
  'ticket.ready': 'Everything needed is known and nothing is pending.',
  'approval.request': 'Asks the customer’s approver before any work. They get a text with a link.',
  'ticket.hold': 'Stops the clock on record: say why, who causes it and until when.',
  'ticket.resume': 'Goes on exactly where it was put on hold.',
  'visit.dispatch_emergency': 'Sends a technician at once. What has to be proven stays the same.',
  'visit.accept': 'You take this visit. The customer sees that somebody is coming.',
  'tech.check_in': 'You are at the site. The time on record is ours, not your device’s.',
  'tech.start': 'Work begins. The photos from before must be there.',
  'tech.request_change': 'The approver gets a text with a link. Work waits until they decide.',
  'part.record': 'What you put in, with its price.',
  'time.record': 'The rate comes from the contract.',
  'tech.complete': 'Hands the work in to be verified. Everything on the evidence list must be there.',
  'qa.verify': 'Either result goes on record. What fails goes back to the technician.',
  'remedy.submit': 'Adds what was found wanting. What was handed in stays as it is.',
  'billing.generate_invoice': 'Lines come from parts, time and approved changes, never above the limit.',
  'billing.issue': 'Sends the invoice to the customer.',
  'payment.record': 'The invoice was paid in full.',
  'ticket.close': 'The end of this ticket.',
  'ticket.cancel': 'Ends the ticket without a visit. The customer is told.',
  'approval.withdraw': 'Takes the open question back. Nobody can approve it any more.',
};

/** Labels of form fields by their name in the schema. */
export const FIELD_WORDS: Readonly<Record<string, string>> = {
  site_id: 'Site',
  description: 'What is wrong',
  missing: 'What is missing',
  answers: 'Answers',
  question: 'Question',
  answer: 'Answer',
  type: 'Incident type',
  priority: 'Priority',
  reason: 'Reason',
  kind: 'Kind',
  lines: 'Lines',
  'lines.kind': 'What it is',
  quantity: 'Quantity',
  unit_cents: 'Price each',
  amount_cents: 'Amount',
  incurred: 'Already spent',
  part_number: 'Part number',
  photos: 'Photos',
  owner: 'Who causes the delay',
  hold_until: 'Until',
  note: 'Note',
  return_trip: 'A return trip is needed',
  technician_id: 'Technician',
  client_time: 'Time on your device',
  position: 'Position',
  minutes: 'Minutes',
  test: 'Test',
  passed: 'Passed',
  value: 'Measured value',
  outcome: 'Outcome',
  work_note: 'Found, done, left',
  signature: 'Signature',
  text: 'Name of who signed, or why nobody could',
  result: 'Result',
  wanting: 'What must be remedied',
  rework: 'How',
  remedies: 'Remedies',
  key: 'For',
  evidence_id: 'Photo',
  method: 'Paid by',
  scope: 'Scope',
  nte_cents: 'Not to exceed',
  new_nte_cents: 'New limit',
  total_cents: 'Total',
  cost_cents: 'Cost so far',
  priority_by_rule: 'Priority by rule',
  remedied: 'Remedied',
  still_open: 'Still open',
  answered: 'Answered',
  clock_skew_s: 'Clock of the device off by (s)',
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
};

/** Why something waits for a person. */
export const ATTENTION_WORDS: Readonly<Record<string, string>> = {
  unanswered_message: 'A message nobody has answered',
  safety_triage: 'A danger: send somebody',
  unapproved_yes: 'Somebody who may not approve wrote yes',
  delivery_failed: 'A text did not arrive',
  approval_expired: 'Nobody decided in time',
  approval_locked: 'An approval is locked after wrong codes',
};

/** Everything else on the pages. */
export const T = {
  product: 'Deadlatch',
  skip: 'Skip to content',
  queue: 'Queue',
  myVisits: 'My visits',
  attention: 'Needs a person',
  reports: 'Unverified reports',
  signOut: 'Sign out',
  toDark: 'Use dark colours',
  toLight: 'Use light colours',
  loading: 'Reading…',
  signedOutTitle: 'You are not signed in',
  signedOutText: 'Open the sign-in link you were given. Each link works once.',
  filterByState: 'State',
  allStates: 'All states',
  previous: 'First page',
  nextPage: 'Next page',
  emptyQueue: 'No tickets here.',
  emptyQueueFiltered: 'No tickets in this state.',
  emptyVisits: 'No visits are assigned to you.',
  attentionLead: 'What the agent could not settle, and what a person has to know at once.',
  emptyAttention: 'Nothing waits for a person.',
  since: 'since',
  aConversation: 'A conversation without a ticket',
  emptyReports: 'No unverified reports.',
  reportsLead:
    'Messages from senders who are not on file. They have no site, no priority and no ticket until a person attaches them.',
  unprioritised: 'No priority yet',
  noType: 'Not triaged yet',
  notToExceed: 'Not to exceed',
  updated: 'updated',
  received: 'received',
  assigned: 'Technician assigned',
  unassigned: 'No technician',
  agentsRun: 'Agents are working',
  agentsStopped: 'Every agent is paused',
  agentStopped: 'The agent is paused on this ticket',
  stopAgents: 'Pause every agent',
  startAgents: 'Let agents work again',
  stopAgent: 'Pause the agent here',
  startAgent: 'Let the agent work here again',
  onlySupervisor: 'A supervisor can let them work again.',
  back: 'Back to the queue',
  backToVisits: 'Back to my visits',
  next: 'Next',
  nextAccept: 'The technician accepts the visit',
  openTicket: 'Open a ticket',
  openedTicket: 'Opened. Go to',
  newTicket: 'the new ticket',
  you: 'You',
  forSomebody: 'for',
  whenState: 'when',
  photoOf: 'Photo:',
  ofEachOfTwo: ', of two approvers',
  alreadySpent: 'already spent',
  summary: 'Summary',
  actions: 'What you can do',
  actionsNone: 'Nothing for your role on this ticket.',
  notNow: 'Not now',
  conversation: 'Conversation',
  conversationEmpty: 'No messages yet.',
  conversationAgent: 'The agent answers',
  conversationHuman: 'A person has taken over',
  conversationClosed: 'Closed',
  withheld: 'Withheld: this text could not be made free of personal data.',
  inbound: 'Customer',
  outbound: 'Deadlatch',
  timeline: 'Timeline',
  timelineEmpty: 'No events yet.',
  refused: 'Refused',
  why: 'Why',
  policies: 'Policies',
  correlation: 'Correlation',
  evidence: 'Evidence',
  evidenceEmpty: 'No photos yet.',
  evidenceNeeded: 'Needed for this type',
  of: 'of',
  stored: 'Stored and checked',
  announced: 'Announced, not stored',
  approvals: 'Approvals',
  approvalsEmpty: 'None asked.',
  asksFor: 'asks for',
  newNte: 'New limit',
  expires: 'Expires',
  decided: 'Decided',
  needsProof: 'Proof needed',
  approverPage: 'The approver decides on a page of its own, from the link in our message; never here.',
  visit: 'Visit',
  visitEmpty: 'No visit yet.',
  window: 'Window',
  checkedIn: 'Checked in',
  started: 'Work started',
  invoice: 'Invoice',
  completion: 'Completion',
  outcome: 'Outcome',
  total: 'Total',
  reported: 'Reported',
  heldUntil: 'On hold until',
  heldBy: 'Delay caused by',
  resumesTo: 'Goes on as',
  stillMissing: 'Still missing',
  answersGiven: 'Answers',
  safety: 'Safety',
  capped: 'Scope capped: no more money was approved',
  send: 'Send',
  cancel: 'Close',
  sending: 'Sending…',
  add: 'Add',
  remove: 'Remove',
  choose: 'Choose…',
  yes: 'Yes',
  no: 'No',
  optional: 'optional',
  technicianNone: 'No technician can be listed.',
  evidenceNone: 'Add a photo first.',
  photoFor: 'What the photo shows',
  photoFile: 'Photo',
  photoHint: 'JPEG, PNG or WebP, up to 15 MB.',
  photoUpload: 'Upload',
  photoHashing: 'Measuring…',
  photoSending: 'Uploading…',
  photoChecking: 'Checking what was stored…',
  photoDone: 'Stored and checked.',
  photoWrongType: 'Only JPEG, PNG or WebP.',
  photoTooLarge: 'Larger than 15 MB.',
  doneNow: 'Done. The ticket is now:',
  doneReplayed: 'This had been done already. The ticket is now:',
  mustBe: 'Possible when the ticket is:',
  missingList: 'Missing:',
  requestId: 'Request',
  staleData: 'Could not be read again just now. What you see may be out of date.',
  problemTitle: 'That did not work',
  notFoundTitle: 'There is nothing here',
} as const;

/** `photo.before.failed_lock` as `Before: failed lock`; a test or a choice by its words; else in plain words. */
export function choiceWords(key: string): string {
  const choice = key.replace(/^test\./, '');
  if (Object.hasOwn(CHOICE_WORDS, choice)) return CHOICE_WORDS[choice] ?? choice;
  const [, phase, ...rest] = key.startsWith('photo.') ? key.split('.') : [];
  return phase && rest.length > 0 ? `${plain(phase)}: ${plain(rest.join(' ')).toLowerCase()}` : plain(key);
}

/** `some_machine.word` as plain words; for sets that grow without us. */
export function plain(name: string): string {
  const words = name
    .replace(/^photo\./, '')
    .replace(/[._]+/g, ' ')
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The word for `value` in a table, or its plain form. */
export function wordFor(table: Readonly<Record<string, string>>, value: string | null | undefined): string {
  if (value == null) return '–';
  return Object.hasOwn(table, value) ? (table[value] as string) : plain(value);
}
