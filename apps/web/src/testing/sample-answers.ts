import type { JsonValue } from '@deadlatch/kernel';
import type { FakePeers } from './fake-peers.ts';
import { CONVERSATION_ID, EVIDENCE_ID, TICKET_ID } from './people.ts';

const TECHNICIAN_ID = '01900000-0000-7000-8000-000000000002';
const at = (minute: number) => `2026-11-22T17:${String(minute).padStart(2, '0')}:00.000Z`;

/** A busy hour at one store, for looking at the console: every part of every page has something to show. */
export function addSampleAnswers(peers: FakePeers): void {
  const { answers } = peers;
  const answer = (route: string, value: JsonValue) => answers.set(route, () => value);
  answer('GET /v1/tickets', { tickets: SAMPLE_QUEUE, next: 'page-2' });
  answer('GET /v1/tickets?state=NEW', {
    tickets: SAMPLE_QUEUE.filter((row) => row.state === 'NEW'),
    next: null,
  });
  answer('GET /v1/tickets?state=CANCELLED', { tickets: [], next: null });
  answer('GET /v1/technicians', {
    technicians: [
      { id: TECHNICIAN_ID, label: 'tom-technician', skills: ['locksmith'], territories: ['north'] },
      {
        id: '01900000-0000-7000-8000-000000000003',
        label: 'tess-technician',
        skills: ['locksmith'],
        territories: [],
      },
    ],
  });
  answer('GET /v1/autonomy', { pauses: [] });
  answer('GET /v1/reports', {
    reports: [{ id: '01900000-0000-7000-8000-0000000000d1', channel: 'sms', created_at: at(2) }],
  });
  answer(`GET /v1/tickets/${TICKET_ID}`, SAMPLE_TICKET);
  answer(`GET /v1/tickets/${TICKET_ID}/timeline`, { events: SAMPLE_EVENTS });
  answer(`GET /v1/tickets/${TICKET_ID}/evidence`, {
    evidence: [
      {
        id: EVIDENCE_ID,
        key: 'photo.before.opening',
        state: 'FINALIZED',
        created_at: at(31),
        size_bytes: 812_331,
      },
      {
        id: `${EVIDENCE_ID.slice(0, -1)}d`,
        key: 'photo.after.secured_inside',
        state: 'PRESIGNED',
        created_at: at(40),
      },
    ],
  });
  answer(`GET /v1/tickets/${TICKET_ID}/approvals`, {
    approvals: [
      {
        id: '01900000-0000-7000-8000-0000000000e1',
        state: 'CONSUMED',
        kind: 'NTE_INCREASE',
        amount_cents: 20_000,
        new_nte_cents: 95_000,
        proof_assurance: 'L2',
        requested_at: at(33),
        expires_at: at(59),
        decided_at: at(36),
        lines: [{ kind: 'PART', quantity: 1, unit_cents: 20_000, incurred: 'no' }],
      },
    ],
  });
  answer(`GET /v1/conversations/${CONVERSATION_ID}`, {
    conversation: { id: CONVERSATION_ID, state: 'AGENT', channel: 'sms' },
    entries: [
      {
        id: 'm1',
        direction: 'IN',
        mask_state: 'RELEASED',
        text: "front door won't lock, we close in an hour. call [PERSON_1] on [PHONE_1]",
        template: null,
        at: at(0),
      },
      { id: 'm2', direction: 'OUT', mask_state: null, text: null, template: 'M01', at: at(1) },
      { id: 'm3', direction: 'IN', mask_state: 'WITHHELD', text: null, template: null, at: at(4) },
    ],
  });
  answers.set(`POST /v1/tickets/${TICKET_ID}/time.record`, () => ({
    ticket: { id: TICKET_ID, state: 'IN_PROGRESS' },
  }));
}

const row = (n: number, state: string, priority: string | null, type: string | null) => ({
  id: n === 0 ? TICKET_ID : `01900000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`,
  reference: `DL-7KQ4M2X${n}`,
  state,
  priority,
  site_label: n % 2 === 0 ? 'store-114' : 'store-207-with-a-rather-long-name',
  incident_type: type,
  nte_cents: priority === 'EMERGENCY' ? 75_000 : 35_000,
  version: 3,
  updated_at: at(50 - n),
  technician_id: n === 0 ? TECHNICIAN_ID : null,
});

const SAMPLE_QUEUE = [
  row(0, 'IN_PROGRESS', 'EMERGENCY', 'DOOR_CANNOT_SECURE'),
  row(1, 'APPROVAL_REQUIRED', 'URGENT', 'DOOR_WONT_LATCH'),
  row(2, 'NEW', null, null),
  row(3, 'COMPLETED_PENDING_VERIFICATION', 'ROUTINE', 'CLOSER_LEAK_OR_SLAM'),
  row(4, 'INVOICED', 'ROUTINE', 'CLOSER_LEAK_OR_SLAM'),
];

const SAMPLE_TICKET: JsonValue = {
  site_label: 'store-114',
  ticket: {
    id: TICKET_ID,
    reference: 'DL-7KQ4M2X0',
    state: 'IN_PROGRESS',
    version: 9,
    priority: 'EMERGENCY',
    incident_type: 'DOOR_CANNOT_SECURE',
    safety: true,
    nte_cents: 95_000,
    base_nte_cents: 75_000,
    conversation_id: CONVERSATION_ID,
    answers: { cannot_lock_anything: 'yes', open_to_public: 'unknown', anyone_hurt: 'no' },
    missing: ['which_door'],
    reported_at: at(0),
    updated_at: at(40),
    scope_capped: false,
  },
  visit: {
    state: 'ON_SITE',
    technician_id: TECHNICIAN_ID,
    emergency: true,
    starts_at: at(10),
    ends_at: '2026-11-22T19:10:00.000Z',
    checked_in_at: at(28),
    started_at: at(32),
  },
  invoice: null,
  completion: null,
  allowed: [
    { command: 'ticket.hold', allowed: true },
    { command: 'evidence.presign', allowed: true },
    { command: 'tech.request_change', allowed: true },
    { command: 'time.record', allowed: true },
    { command: 'test.record', allowed: true },
    { command: 'tech.complete', allowed: false, code: 'evidence_missing' },
    { command: 'visit.accept', allowed: false, code: 'invalid_state' },
    { command: 'ticket.cancel', allowed: false, code: 'invalid_state' },
    { command: 'qa.verify', allowed: false, code: 'separation_of_duty' },
  ],
};

const SAMPLE_EVENTS: JsonValue = [
  event(
    1,
    0,
    'ticket.create',
    { type: 'contact', role: 'requester', agent: { role: 'agent.intake' } },
    '-',
    'NEW',
  ),
  event(
    2,
    1,
    'ticket.triage',
    { type: 'contact', role: 'requester', agent: { role: 'agent.intake' } },
    'NEW',
    'TRIAGED',
  ),
  event(3, 8, 'visit.dispatch_emergency', { type: 'staff', role: 'dispatcher' }, 'TRIAGED', 'DISPATCHED'),
  {
    ...event(4, 30, 'tech.complete', { type: 'technician', role: 'technician' }, 'ON_SITE', 'ON_SITE'),
    decision: 'refused',
    code: 'invalid_state',
  },
  event(5, 32, 'tech.start', { type: 'technician', role: 'technician' }, 'ON_SITE', 'IN_PROGRESS'),
];

function event(n: number, minute: number, command: string, actor: JsonValue, before: string, after: string) {
  return {
    event_id: `01900000-0000-7000-8000-00000000f00${n}`,
    at: at(minute),
    command,
    actor,
    decision: 'accepted',
    before,
    after,
    details: command === 'ticket.triage' ? { priority: 'EMERGENCY', nte_cents: 75_000 } : {},
    policy_ids: ['grant.pair', 'state.edge'],
    correlation_id: '01900000-0000-7000-8000-000000000c01',
  };
}
