import { DIRECTORY_INPUTS } from './directory-facts.ts';
import { COMMITMENT, FREE_TEXT, fixedId, IDS } from './ids.ts';
import { SUGGESTION_DIGEST, WAIVABLE_KEY } from './life-rows.ts';
import type { Cell } from './matrix-cells.ts';
import { approvalRow, at, HOUR } from './rows.ts';
import { CHOICE_ID, LINK_SECRET, OPTION_IDS } from './schedule-rows.ts';

const ANSWERS = [{ question: 'anyone_hurt', answer: 'no' }];
const LINES = [{ kind: 'PART', quantity: 1, unit_cents: 20_000, incurred: 'no' }];
const NOTHING = {};

/** A body for each command that its rule accepts under the fixtures' facts. */
export const PERSON_INPUTS: Readonly<Record<string, unknown>> = {
  ...DIRECTORY_INPUTS,
  'message.receive': {
    channel: 'sms',
    provider_id: 'SM1',
    contact_id: IDS.requester,
    sender_hash: COMMITMENT,
    doubts: [],
    received_at: at(0),
    text_id: IDS.text,
    mask_state: 'WITHHELD',
  },
  'message.report_delivery': { status: 'sent', provider_id: 'SM2' },
  'conversation.reply': NOTHING,
  'autonomy.pause': { scope: 'tenant' },
  'autonomy.resume': { scope: 'tenant' },
  'ticket.create': { site_id: IDS.site },
  'ticket.request_info': { missing: ['which_door'] },
  'ticket.provide_info': { answers: ANSWERS },
  'ticket.triage': { type: 'DOOR_CANNOT_SECURE', answers: ANSWERS },
  'ticket.ready': NOTHING,
  'incident_type.publish': { type: 'DOOR_WONT_LATCH', version: 1 },
  'template.publish': { template: 'M17', version: 1 },
  'approval.request': { kind: 'NTE_INCREASE', lines: LINES, reason: FREE_TEXT },
  'approval.decide': { decision: 'APPROVE', action_digest: approvalRow().action_digest },
  'approval.withdraw': NOTHING,
  'approval.expire': NOTHING,
  'ticket.hold': { reason: 'PARTS', owner: 'PROVIDER', hold_until: at(HOUR) },
  'ticket.resume': NOTHING,
  'ticket.cancel': { reason: 'OTHER' },
  'visit.dispatch_emergency': { technician_id: IDS.technician, reason: 'CANNOT_SECURE' },
  'schedule.propose': NOTHING,
  'schedule.confirm': { option_id: OPTION_IDS[1] },
  'choice.make': { link: LINK_SECRET, kind: 'OPTION', option_id: OPTION_IDS[1] },
  'schedule.release': NOTHING,
  'schedule.reschedule': { owner: 'CUSTOMER' },
  'visit.dispatch': { technician_id: IDS.technician },
  'visit.depart': NOTHING,
  'visit.decline': { reason: 'OTHER' },
  'visit.reassign': { technician_id: IDS.technician },
  'visit.escalate': NOTHING,
  'visit.miss': NOTHING,
  'visit.accept': NOTHING,
  'tech.check_in': NOTHING,
  'tech.check_out': { outcome: 'PARTS', hold_until: at(HOUR) },
  'ticket.retriage': { type: 'DOOR_CANNOT_SECURE', answers: ANSWERS, reason: FREE_TEXT },
  'ticket.link_duplicate': { survivor_id: IDS.otherTicket },
  'ticket.reopen': { reason: FREE_TEXT },
  'report.attach': { site_id: IDS.site },
  'conversation.take_over': NOTHING,
  'conversation.hand_back': NOTHING,
  'conversation.close': NOTHING,
  'message.send': { phrase: 'please_call_us' },
  'suggestion.accept': { digest: SUGGESTION_DIGEST, checked: 'yes' },
  'suggestion.reject': { reason: 'WRONG' },
  'suggestion.expire': NOTHING,
  'evidence.waive': { key: WAIVABLE_KEY, reason: FREE_TEXT },
  'billing.dispute': { reason: FREE_TEXT },
  'billing.void': { reason: FREE_TEXT },
  'tech.start': NOTHING,
  'tech.request_change': {
    kind: 'NTE_INCREASE',
    lines: LINES,
    photos: [fixedId(0x200)],
    reason: FREE_TEXT,
  },
  'evidence.presign': {
    key: 'photo.before.opening',
    content_type: 'image/jpeg',
    size_bytes: 1_000,
    sha256: 'a'.repeat(64),
  },
  'evidence.finalize': { evidence_id: IDS.evidence },
  'part.record': { part_number: 'LK-9', quantity: 1, unit_cents: 100 },
  'time.record': { minutes: 30 },
  'test.record': { test: 'egress_opens', passed: true },
  'tech.complete': {
    outcome: 'RESOLVED',
    work_note: FREE_TEXT,
    signature: { kind: 'signed', text: FREE_TEXT },
  },
  'qa.verify': { result: 'PASS' },
  'remedy.submit': { remedies: [{ key: 'work' }] },
  'billing.generate_invoice': NOTHING,
  'billing.issue': NOTHING,
  'payment.record': { amount_cents: 9_000, method: 'ACH' },
  'ticket.close': NOTHING,
};

/** The narrower bodies of agents, where they differ. */
export const AGENT_INPUTS: Readonly<Record<string, unknown>> = {
  ...PERSON_INPUTS,
  'conversation.reply': { phrase: 'thanks_noted' },
  'schedule.confirm': { choice_id: CHOICE_ID },
  'schedule.reschedule': { choice_id: CHOICE_ID },
  'visit.dispatch': NOTHING,
  'ticket.create': NOTHING,
  'ticket.link_duplicate': NOTHING,
};

/** Where the body that fits depends on where the ticket stands. */
const OTHER_TIMES = { link: LINK_SECRET, kind: 'OTHER_TIME' };
const INPUTS_AT: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'choice.make': { SCHEDULED: OTHER_TIMES, DISPATCHED: OTHER_TIMES },
  'tech.check_out': {
    COMPLETED_PENDING_VERIFICATION: { outcome: 'COMPLETE' },
    APPROVAL_REQUIRED: { outcome: 'WAITING_APPROVAL' },
  },
};

/** The body of this cell's command. */
export function inputOf(cell: Pick<Cell, 'command' | 'agent' | 'state'>): unknown {
  const inputs = cell.agent === null ? PERSON_INPUTS : AGENT_INPUTS;
  return INPUTS_AT[cell.command]?.[cell.state] ?? inputs[cell.command];
}
