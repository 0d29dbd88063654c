import { account, type CommandEntry, command, intake, own, staff } from '../define.ts';
import {
  amount,
  choice,
  freeText,
  instant,
  integer,
  list,
  object,
  optional,
  reference,
  word,
} from '../fields.ts';
import { INCIDENT_TYPES } from '../incident-types/catalogue.ts';
import { ANSWERS, MAX_QUESTIONS_AT_ONCE, QUESTION_IDS } from '../incident-types/shape.ts';
import { APPROVAL_KINDS } from '../proofs.ts';
import { PRIORITIES } from '../states.ts';

const answers = (min: number) =>
  list(object({ question: choice(QUESTION_IDS), answer: choice(ANSWERS) }), min, QUESTION_IDS.length);

export const LINE_KINDS = ['LABOR', 'PART', 'TRIP', 'OTHER'] as const;

/** Lines of a change or proposal: what it costs, incurred already or proposed. */
export const changeLines = list(
  object({
    kind: choice(LINE_KINDS),
    quantity: integer(1, 10_000),
    unit_cents: amount(),
    incurred: choice(['yes', 'no']),
    part_number: optional(word('^[A-Za-z0-9][A-Za-z0-9 ._/-]*$', 60)),
  }),
  1,
  50,
);

export const HOLD_REASONS = [
  'PARTS',
  'NO_ACCESS',
  'WAITING_APPROVAL',
  'WEATHER',
  'CUSTOMER_REQUEST',
  'SAFETY',
] as const;
export const DELAY_OWNERS = ['PROVIDER', 'CUSTOMER', 'THIRD_PARTY', 'FORCE_MAJEURE'] as const;
export const CANCEL_REASONS = [
  'CUSTOMER_REQUEST',
  'DUPLICATE',
  'NOT_OUR_SITE',
  'FIXED_ITSELF',
  'OTHER',
] as const;

/** From the first word to a ticket that can be worked on. */
export const TICKET_COMMANDS: readonly CommandEntry[] = [
  command('ticket.create', {
    summary: 'Opens a ticket. The same conversation again answers the same ticket.',
    target: 'none',
    who: [account('requester'), ...staff('dispatcher')],
    agents: intake(1),
    proof: 'L1',
    input: object({ site_id: reference('site'), description: optional(freeText()) }),
    agentInput: object({ site_id: optional(reference('site')) }),
    needs: ['site', 'turn', 'conversation', 'autonomy'],
  }),
  command('ticket.request_info', {
    summary: 'Asks the requester for what intake still lacks.',
    target: 'ticket',
    who: staff('dispatcher'),
    agents: intake(1),
    proof: 'L1',
    input: object({ missing: list(choice(QUESTION_IDS), 1, MAX_QUESTIONS_AT_ONCE) }),
    agentInput: object({ missing: list(choice(QUESTION_IDS), 1, MAX_QUESTIONS_AT_ONCE) }),
    needs: ['turn', 'conversation', 'autonomy'],
  }),
  command('ticket.provide_info', {
    summary: 'Answers intake questions.',
    target: 'ticket',
    who: [own('requester'), ...staff('dispatcher')],
    agents: intake(1),
    proof: 'L1',
    input: object({ answers: answers(1) }),
    agentInput: object({ answers: answers(1) }),
    needs: ['turn', 'conversation', 'autonomy'],
  }),
  command('ticket.triage', {
    summary: 'Sets the incident type from facts; priority follows by rule and the NTE from the contract.',
    target: 'ticket',
    who: staff('dispatcher'),
    agents: intake(2),
    proof: 'L1',
    input: object({
      type: choice(INCIDENT_TYPES),
      answers: answers(0),
      priority: optional(choice(PRIORITIES)),
      reason: optional(freeText()),
    }),
    agentInput: object({ type: choice(INCIDENT_TYPES), answers: answers(0) }),
    needs: ['turn', 'conversation', 'autonomy', 'publications'],
  }),
  command('ticket.ready', {
    summary: 'Intake is complete and nothing is pending.',
    target: 'ticket',
    who: staff('dispatcher'),
    agents: intake(2),
    proof: 'L1',
    input: object({}),
    agentInput: object({}),
    needs: ['turn', 'conversation', 'approvals', 'autonomy'],
  }),
  command('approval.request', {
    summary: 'Asks an approver before any work: an estimate over the NTE, or a quote-first account.',
    target: 'ticket',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({ kind: choice(APPROVAL_KINDS), lines: changeLines, reason: freeText() }),
    needs: ['approvals', 'costs', 'conversation'],
  }),
  command('approval.decide', {
    summary: 'Approves or denies exactly what was asked; approving raises the NTE in the same transaction.',
    target: 'approval',
    who: [own('approver')],
    proof: 'L2',
    input: object({ decision: choice(['APPROVE', 'DENY']), action_digest: word('^[A-Za-z0-9_-]{43}$', 43) }),
    needs: ['approval', 'approvals', 'visit', 'technician', 'conversation'],
    isActOfAuthority: true,
  }),
  command('approval.withdraw', {
    summary: 'Whoever asked takes the question back.',
    target: 'approval',
    who: [own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({}),
    needs: ['approval', 'visit'],
  }),
  command('approval.expire', {
    summary: 'Nobody decided in time. Never approves.',
    target: 'approval',
    who: [{ role: 'system', membership: 'tenant' }],
    proof: 'L1',
    input: object({}),
    needs: ['approval', 'conversation'],
  }),
  command('ticket.hold', {
    summary: 'Pauses the work with a reason, an owner of the delay and an end.',
    target: 'ticket',
    who: [own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({
      reason: choice(HOLD_REASONS),
      owner: choice(DELAY_OWNERS),
      hold_until: instant(),
      note: optional(freeText()),
    }),
    needs: ['visit', 'conversation'],
  }),
  command('ticket.resume', {
    summary: 'Goes on exactly where it was held, or needs a return trip.',
    target: 'ticket',
    who: [own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({ return_trip: optional(choice(['yes', 'no'])) }),
    needs: ['visit', 'approvals', 'schedule'],
  }),
  command('ticket.cancel', {
    summary: 'Ends a ticket on which nobody is on site; a requester asks for it, and a dispatcher ends it.',
    target: 'ticket',
    who: [own('requester'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({ reason: choice(CANCEL_REASONS), note: optional(freeText()) }),
    needs: ['visit', 'approvals', 'conversation'],
  }),
];
