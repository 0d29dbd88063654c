import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCommand, ticketSources } from '@deadlatch/catalogue';
import { guardsAgainst } from '../../../test/mistakes.ts';
import { verifies } from '../../../test/requirements.ts';
import type { Facts } from './facts.ts';
import { IDS } from './testing/ids.ts';
import { PERSON_INPUTS } from './testing/matrix-inputs.ts';
import {
  approvalRow,
  at,
  contact,
  HOUR,
  MINUTE,
  observedObject,
  staffMember,
  turnRow,
  visitRow,
} from './testing/rows.ts';
import { type Actor, accept, code, play, refusal } from './testing/scene.ts';
import { createTestTools } from './testing/tools.ts';

/** The numbers are those of the list of mistakes that comparable systems made. */

/** Somebody who may send the command. */
function actorOf(command: string): Actor {
  const role = findCommand(command)?.who[0]?.role;
  return role ?? 'agent';
}

const AGENT_TRIAGE = { type: 'DOOR_CANNOT_SECURE', answers: [] };

test('mistake 1: a stored answer is given again only for the same request, and only after authorising again', () => {
  guardsAgainst(1);
  verifies('R.2');
  const event = { event_id: IDS.message, event_time: at(0), leaf_hash: 'h' };
  const stored = { fingerprint: 'f1', answer: { ok: true }, ...event };
  assert.deepEqual(play('ticket.triage', 'dispatcher', { facts: { stored } }), {
    kind: 'replayed',
    answer: { ok: true },
    eventId: IDS.message,
    eventTime: at(0),
    leafHash: 'h',
  });
  // The state has moved on since: the answer is still the stored one.
  assert.equal(code('ticket.triage', 'dispatcher', { facts: { stored }, state: 'CLOSED' }), 'replayed');
  const other = { stored: { ...stored, fingerprint: 'f2' } };
  assert.equal(code('ticket.triage', 'dispatcher', { facts: other }), 'idempotency_key_reused');
  assert.equal(code('ticket.triage', 'finance', { facts: { stored } }), 'not_granted');
  assert.equal(code('ticket.triage', 'dispatcher', { facts: { stored, ticket: null } }), 'not_found');
});

test('mistake 2: an unassigned technician cannot check in, and nobody chooses the time of arrival', () => {
  guardsAgainst(2);
  verifies('A.3b', 'T1.5');
  const unassigned = { visit: visitRow({ state: 'ACCEPTED', technician_id: IDS.otherPerson }) };
  assert.equal(code('tech.check_in', 'technician', { facts: unassigned }), 'not_found');
  assert.equal(code('tech.check_in', 'technician', { facts: { visit: null } }), 'not_found');
  const { changes } = accept('tech.check_in', 'technician', {
    input: { client_time: '1999-01-01T00:00:00.000Z' },
  });
  assert.equal(changes.visit?.checked_in_at, at(0));
  assert.equal(changes.visit?.claimed_time, '1999-01-01T00:00:00.000Z');
});

test('mistake 3: no field of triage sets an NTE; it comes from the contract', () => {
  guardsAgainst(3);
  verifies('T1.5', 'I.2', 'T3.8');
  for (const field of ['nte_cents', 'nte', 'base_nte_cents', 'amount_cents']) {
    for (const actor of ['agent', 'dispatcher'] as const) {
      const input = { ...AGENT_TRIAGE, [field]: 100_000_000 };
      assert.equal(code('ticket.triage', actor, { input }), 'schema_mismatch');
    }
  }
  const { changes } = accept('ticket.triage', 'agent', { input: AGENT_TRIAGE });
  assert.equal(changes.ticket?.nte_cents, 75_000);
});

test('mistake 4: approving an increase raises the NTE in the same change', () => {
  guardsAgainst(4);
  verifies('T3.4');
  const { changes, event } = accept('approval.decide', 'approver');
  assert.equal(changes.ticket?.nte_cents, 95_000);
  assert.equal(changes.approval?.state, 'CONSUMED');
  assert.deepEqual(event.effects.map((e) => e.object).sort(), ['approval', 'ticket']);
});

test('mistake 5: denying a change on site goes on exactly where it paused, with the scope capped', () => {
  guardsAgainst(5);
  verifies('A.3d');
  const input = { decision: 'DENY', action_digest: approvalRow().action_digest };
  const { changes } = accept('approval.decide', 'approver', { input });
  assert.equal(changes.ticket?.state, 'IN_PROGRESS');
  assert.equal(changes.ticket?.scope_capped, true);
  assert.equal(changes.ticket?.nte_cents, 75_000);
  // A row that remembers another place than the ticket does is a defect, and a defect refuses.
  const approval = approvalRow({ resume_denied: 'TRIAGED' });
  assert.equal(code('approval.decide', 'approver', { input, facts: { approval } }), 'unavailable');
});

test('mistake 7: a failed verification is recorded and leaves a way forward', () => {
  guardsAgainst(7);
  verifies('T1.2');
  const remedy = accept('qa.verify', 'qa', { input: { result: 'FAIL', wanting: ['work'] } });
  assert.equal(remedy.changes.verification?.result, 'FAIL');
  assert.equal(remedy.changes.ticket?.state, 'COMPLETED_PENDING_VERIFICATION');
  const trip = accept('qa.verify', 'qa', {
    input: { result: 'FAIL', wanting: ['work'], rework: 'return_trip' },
  });
  assert.equal(trip.changes.ticket?.state, 'READY_TO_SCHEDULE');
  assert.equal(trip.changes.visit?.state, 'CHECKED_OUT');
  assert.equal(trip.changes.release_booking_of, IDS.visit);
});

test('mistake 8: a pause stops the agent at the gate and leaves every person alone', () => {
  guardsAgainst(8);
  verifies('T1.2');
  const paused = { autonomy: { level: 3, paused: true } } as const;
  assert.equal(code('ticket.triage', 'agent', { facts: paused }), 'agent_paused');
  assert.equal(code('tech.start', 'technician', { facts: paused }), 'accepted');
  assert.equal(code('ticket.triage', 'dispatcher', { facts: paused }), 'accepted');
});

test('mistake 9: an agent never acts as the person it acts for, nor as a dispatcher', () => {
  guardsAgainst(9);
  verifies('T1.9', 'A.4');
  // The requester may add intake photos; the agent acting for that requester may not.
  assert.equal(code('evidence.presign', 'requester'), 'accepted');
  assert.equal(code('evidence.presign', 'agent'), 'above_ceiling');
  assert.equal(
    code('ticket.triage', 'agent', {
      caller: { agent: { role: 'agent.scheduling', turnId: IDS.turn } },
      facts: { turn: turnRow({ agent_role: 'agent.scheduling' }) },
    }),
    'not_granted',
  );
  // A dispatcher's subject in an agent's turn is no pair.
  assert.equal(
    code('ticket.triage', 'agent', {
      caller: { subject: { kind: 'staff', id: IDS.dispatcher } },
      facts: { subject: staffMember(IDS.dispatcher, 'dispatcher') },
    }),
    'above_ceiling',
  );
});

test('mistake 10: a conversation that has an open ticket is answered with it, and nothing is made', () => {
  guardsAgainst(10);
  verifies('R.2');
  const decision = accept('ticket.create', 'agent', { state: 'TRIAGED' });
  assert.equal(decision.answer.result.existing, true);
  assert.equal(decision.answer.ticket?.id, IDS.ticket);
  assert.deepEqual(decision.changes, {});
  assert.deepEqual(decision.event.effects, []);
  assert.deepEqual(decision.outbox, []);
});

test('mistake 12: evidence is what was found in our store, and no command takes an address to fetch', () => {
  guardsAgainst(12);
  verifies('C.4', 'R.7');
  const working = { state: 'IN_PROGRESS' } as const;
  assert.equal(code('evidence.finalize', 'technician', working), 'accepted');
  for (const observed_object of [null, observedObject({ sha256: 'b'.repeat(64) })]) {
    const refused = refusal('evidence.finalize', 'technician', { ...working, facts: { observed_object } });
    assert.equal(refused.code, observed_object === null ? 'evidence_missing' : 'evidence_mismatch');
  }
  // Evidence that is only announced, or nobody's, is none.
  assert.equal(code('tech.request_change', 'technician', working), 'accepted');
  assert.equal(
    code('tech.request_change', 'technician', { ...working, facts: { evidence: [] } }),
    'evidence_missing',
  );
  const address = { url: 'http://169.254.169.254/', photo_url: 'file:///etc/passwd', content_key: 'k' };
  for (const [command, body] of Object.entries(PERSON_INPUTS)) {
    for (const [field, value] of Object.entries(address)) {
      const input = { ...(body as object), [field]: value };
      assert.equal(code(command, actorOf(command), { input }), 'schema_mismatch', `${command} ${field}`);
    }
  }
});

test('mistake 13: nothing in the arguments names an actor', () => {
  guardsAgainst(13);
  verifies('T1.5', 'I.2');
  for (const field of ['actor', 'subject', 'role', 'user_id', 'on_behalf_of', 'contact_id']) {
    const input = { ...AGENT_TRIAGE, [field]: IDS.dispatcher };
    assert.equal(code('ticket.triage', 'agent', { input }), 'schema_mismatch');
  }
});

test('mistake 15: no command moves the time of the report, from which every clock runs', () => {
  guardsAgainst(15);
  const moved: string[] = [];
  for (const command of Object.keys(PERSON_INPUTS)) {
    for (const from of ticketSources(command)) {
      const decision = play(command, actorOf(command), { state: from, ticket: { reported_at: at(-HOUR) } });
      const after = decision.kind === 'accepted' ? decision.changes.ticket : undefined;
      // A recall is reported anew; what it is a recall of stays as it is.
      if (after === undefined || after.version === 1) continue;
      moved.push(command);
      assert.equal(after.reported_at, at(-HOUR), `${command} from ${from}`);
    }
  }
  // The comparison above was made where it matters.
  for (const command of ['ticket.triage', 'schedule.reschedule', 'ticket.hold', 'ticket.resume']) {
    assert.ok(moved.includes(command), command);
  }
  // Whose delay it is stands in the event, which nothing changes.
  const { event } = accept('schedule.reschedule', 'dispatcher', { input: { owner: 'PROVIDER' } });
  assert.equal(event.details.owner, 'PROVIDER');
  assert.equal(code('schedule.reschedule', 'dispatcher', { input: {} }), 'schema_mismatch');
});

test('mistake 18: nobody who could decide means nobody approved', () => {
  guardsAgainst(18);
  verifies('T3.1', 'C.0');
  const twist = { state: 'IN_PROGRESS' } as const;
  assert.equal(code('tech.request_change', 'technician', twist), 'accepted');
  assert.equal(
    code('tech.request_change', 'technician', { ...twist, facts: { approvers: [] } }),
    'limit_exceeded',
  );
  const nobody = { subject: contact(IDS.approver) };
  assert.equal(code('approval.decide', 'approver', { facts: nobody }), 'not_granted');
});

test('mistake 19: an attribute that is missing never matches', () => {
  guardsAgainst(19);
  verifies('C.0', 'T1.9');
  assert.equal(code('ticket.triage', 'agent'), 'accepted');
  assert.equal(code('ticket.triage', 'agent', { context: { conversationId: null } }), 'not_found');
  assert.equal(code('approval.decide', 'approver', { context: { actionDigest: null } }), 'digest_mismatch');
  assert.equal(
    code('ticket.triage', 'agent', { facts: { turn: turnRow({ ticket_id: null }) } }),
    'not_found',
  );
  assert.equal(code('ticket.triage', 'dispatcher', { context: { ticketId: IDS.otherTicket } }), 'not_found');
});

test('mistake 20: an empty list matches nothing', () => {
  guardsAgainst(20);
  verifies('C.0');
  assert.equal(
    code('ticket.triage', 'dispatcher', { facts: { subject: staffMember(IDS.dispatcher) } }),
    'not_granted',
  );
  assert.equal(
    code('ticket.create', 'requester', { facts: { subject: contact(IDS.requester) } }),
    'not_granted',
  );
  assert.equal(code('tech.start', 'technician', { facts: { evidence: [] } }), 'evidence_missing');
  const unnamed = approvalRow({}, { not_by: [] });
  assert.equal(
    code('approval.decide', 'approver', {
      facts: { approval: unnamed },
      context: { actionDigest: unnamed.action_digest },
      input: { decision: 'APPROVE', action_digest: unnamed.action_digest },
    }),
    'separation_of_duty',
  );
});

test('mistake 22: what is undefined needs approval like everything else', () => {
  guardsAgainst(22);
  verifies('C.0', 'C.8');
  const absent = undefined as unknown as null;
  const paused = { autonomy: {} as unknown as Facts['autonomy'] };
  assert.equal(code('ticket.triage', 'agent', { facts: paused }), 'agent_paused');
  const level = { autonomy: { paused: false } as unknown as Facts['autonomy'] };
  assert.equal(code('ticket.triage', 'agent', { facts: level }), 'suggested');
  assert.equal(code('conversation.reply', 'agent', { facts: level }), 'autonomy_denied');
  assert.equal(code('evidence.finalize', 'technician', { state: 'IN_PROGRESS' }), 'accepted');
  assert.equal(
    code('evidence.finalize', 'technician', {
      state: 'IN_PROGRESS',
      facts: { observed_object: absent },
    }),
    'evidence_missing',
  );
  const proof = approvalRow({ proof_assurance: undefined as unknown as 'L2' });
  assert.equal(code('approval.decide', 'approver', { facts: { approval: proof } }), 'assurance_required');
});

test('mistake 23: a command named like something every object has is unknown', () => {
  guardsAgainst(23);
  verifies('C.8', 'T1.1');
  for (const command of ['constructor', '__proto__', 'toString', 'hasOwnProperty', '']) {
    assert.equal(code('ticket.triage', 'dispatcher', { request: { command } }), 'unknown_command');
  }
});

test('mistake 24: whatever throws inside the decision refuses', () => {
  guardsAgainst(24);
  verifies('C.0', 'C.5');
  const tools = createTestTools();
  const broken = {
    ...tools,
    newId: () => {
      throw new Error('no entropy');
    },
  };
  assert.equal(code('ticket.create', 'dispatcher', { tools: broken }), 'unavailable');
  assert.equal(code('ticket.create', 'dispatcher', { facts: { now: 'yesterday' } }), 'unavailable');
  const poisoned = new Proxy({} as NonNullable<Facts['subject']>, {
    get: () => {
      throw new Error('trap');
    },
  });
  assert.equal(code('ticket.create', 'dispatcher', { facts: { subject: poisoned } }), 'unavailable');
  const silent = { ...tools, policy: { bundleHash: '', ask: () => undefined as never } };
  assert.equal(code('ticket.create', 'dispatcher', { tools: silent }), 'unavailable');
});

test('mistake 27: a timer goes through the same gate as everybody, and through no other', () => {
  guardsAgainst(27);
  verifies('A.3b', 'C.3', 'T4.5');
  assert.equal(code('approval.expire', 'system'), 'accepted');
  assert.equal(code('approval.expire', 'system', { state: 'IN_PROGRESS' }), 'invalid_state');
  const decided = { approval: approvalRow({ state: 'CONSUMED', expires_at: at(-1) }) };
  assert.equal(code('approval.expire', 'system', { facts: decided }), 'invalid_state');
  assert.equal(
    code('approval.expire', 'system', { facts: { tenant: { id: IDS.otherTenant, autonomy_version: 1 } } }),
    'not_found',
  );
  assert.equal(code('approval.expire', 'system', { facts: { approval: null } }), 'not_found');
  assert.equal(code('approval.expire', 'system', { input: { due: 'yes' } }), 'schema_mismatch');
  for (const command of Object.keys(PERSON_INPUTS)) {
    const isTimer = findCommand(command)?.who.some((grant) => grant.role === 'system') === true;
    if (!isTimer) assert.equal(code(command, 'system'), 'above_ceiling', command);
  }
  // What was answered before is authorised again before it is given again.
  const event = { event_id: IDS.message, event_time: at(0), leaf_hash: 'h' };
  const stored = { fingerprint: 'f1', answer: {}, ...event };
  assert.equal(code('ticket.triage', 'agent', { facts: { stored } }), 'replayed');
  assert.equal(code('ticket.triage', 'agent', { facts: { stored, turn: null } }), 'not_found');
});

test('mistake 28: time passing never approves', () => {
  guardsAgainst(28);
  verifies('T3.4');
  const { changes } = accept('approval.expire', 'system');
  assert.equal(changes.approval?.state, 'EXPIRED');
  assert.equal(changes.ticket?.nte_cents, 75_000);
  assert.equal(changes.ticket?.scope_capped, true);
  const early = { approval: approvalRow({ expires_at: at(MINUTE) }) };
  assert.equal(code('approval.expire', 'system', { facts: early }), 'not_due');
  const late = { approval: approvalRow({ expires_at: at(-MINUTE) }) };
  assert.equal(refusal('approval.decide', 'approver', { facts: late }).extra.from_state, 'EXPIRED');
});

test('mistake 29: who approved is who proved it, never a name in the body', () => {
  guardsAgainst(29);
  verifies('T3.1', 'I.2');
  const digest = approvalRow().action_digest;
  const input = { decision: 'APPROVE', action_digest: digest, approver: IDS.approver };
  assert.equal(code('approval.decide', 'approver', { input }), 'schema_mismatch');
  assert.equal(accept('approval.decide', 'approver').changes.approval?.decided_by, IDS.approver);
});

test('mistake 30: no proof at all is not a weaker proof', () => {
  guardsAgainst(30);
  verifies('T3.2', 'C.0');
  for (const assurance of ['L0', 'L1'] as const) {
    assert.equal(code('approval.decide', 'approver', { caller: { assurance } }), 'assurance_required');
  }
  const unheard = { assurance: '' as unknown as 'L0' };
  assert.equal(code('approval.decide', 'approver', { caller: unheard }), 'above_ceiling');
  assert.equal(code('approval.decide', 'approver', { caller: { scope: 'person' } }), 'above_ceiling');
  assert.equal(code('ticket.triage', 'agent', { caller: { scope: 'service' } }), 'above_ceiling');
});

test('mistake 32: a text that states a fact is made only by the command that commits it', () => {
  guardsAgainst(32);
  verifies('T2.1', 'T2.3');
  for (const [command, actor, template, state] of [
    ['ticket.create', 'agent', 'M01', 'NEW'],
    ['ticket.triage', 'agent', 'M04', 'TRIAGED'],
    ['visit.dispatch_emergency', 'dispatcher', 'M06', 'DISPATCHED'],
    ['tech.complete', 'technician', 'M15', 'COMPLETED_PENDING_VERIFICATION'],
  ] as const) {
    const { changes, outbox } = accept(command, actor);
    const [message] = changes.messages ?? [];
    assert.equal(message?.template, template);
    assert.equal(changes.ticket?.state, state);
    assert.ok(message?.claim.kind === 'ticket_state' && message.claim.states.includes(state));
    assert.deepEqual(
      outbox.map((o) => o.ref_id),
      [message?.id],
    );
  }
  const { changes } = accept('conversation.reply', 'agent');
  assert.deepEqual(
    changes.messages?.map((m) => m.template),
    ['phrase:thanks_noted'],
  );
  assert.deepEqual(
    changes.messages?.map((m) => m.claim),
    [{ kind: 'none' }],
  );
});
