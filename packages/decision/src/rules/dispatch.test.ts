import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import type { Facts } from '../facts.ts';
import { recommendations } from '../options.ts';
import type { TicketRow } from '../rows.ts';
import type { OptionRow, TechnicianFacts } from '../schedule-facts.ts';
import { emptyFacts, placeFacts } from '../testing/facts.ts';
import { IDS } from '../testing/ids.ts';
import { at, HOUR, MINUTE, NOW, ticketRow, visitRow } from '../testing/rows.ts';
import { accept, code, refusal, type Twist } from '../testing/scene.ts';
import {
  agreedOptionRow,
  certified,
  hours,
  STORE,
  scheduleFacts,
  TESS_ID,
  technicianFacts,
} from '../testing/schedule-rows.ts';
import { createTestTools } from '../testing/tools.ts';

const tools = createTestTools();
const BUSY = { starts_at: at(20 * HOUR), ends_at: at(40 * HOUR), place: STORE };

function agreed(technician: Partial<TechnicianFacts> = {}, option: Partial<OptionRow> = {}): Partial<Facts> {
  return {
    technician: technicianFacts(technician),
    schedule: scheduleFacts({ options: [agreedOptionRow(option)] }),
  };
}

test('a dispatch is the agreed time: what was held becomes the visit, and nothing is free in between', () => {
  verifies('A.3d', 'T4.7');
  const { changes, event } = accept('visit.dispatch', 'dispatcher');
  const option = agreedOptionRow();
  assert.deepEqual(changes.booking, {
    visit_id: changes.visit?.id,
    technician_id: IDS.technician,
    starts_at: option.visit_from,
    ends_at: option.visit_to,
    option_id: option.id,
  });
  assert.deepEqual([changes.visit?.state, changes.visit?.emergency], ['OFFERED', false]);
  assert.equal(changes.end_options_of, undefined, 'what was promised stays promised');
  assert.deepEqual(
    event.effects.map((e) => `${e.object} ${e.before_state} ${e.after_state}`),
    ['ticket SCHEDULED DISPATCHED', 'visit - OFFERED'],
  );
  assert.deepEqual(
    changes.timers?.map(({ kind, due_at }) => [kind, due_at]),
    [
      ['visit.miss', option.window_to],
      ['visit.escalate', at(10 * MINUTE)],
    ],
  );
});

test('mistake 25: a fact that is not there when it is decided is a reason, never a rule that does not apply', () => {
  guardsAgainst(25);
  verifies('C.0', 'T1.2');
  const missing = undefined as never;
  const cases: readonly (readonly [Partial<TechnicianFacts>, string])[] = [
    [{ active: missing }, 'not_eligible'],
    [{ territories: missing }, 'unavailable'],
    [{ shifts: null }, 'not_eligible'],
    [{ shifts: missing }, 'unavailable'],
    [{ absences: missing }, 'unavailable'],
    [{ certifications: missing }, 'unavailable'],
    [{ commitments: missing }, 'unavailable'],
    [{ commitments: [{ ...BUSY, starts_at: 'soon' }] }, 'unavailable'],
  ];
  for (const [patch, expected] of cases) {
    const got = code('visit.dispatch', 'dispatcher', { facts: agreed(patch) });
    assert.equal(got, expected, JSON.stringify(patch));
  }
  const noOption = { technician: technicianFacts(), schedule: scheduleFacts() };
  assert.equal(code('visit.dispatch', 'dispatcher', { facts: noOption }), 'superseded');
  assert.equal(code('visit.dispatch', 'dispatcher', { facts: { schedule: null } }), 'superseded');
  assert.equal(
    code('visit.dispatch', 'dispatcher', { facts: { ...agreed(), technician: null } }),
    'not_found',
  );
  assert.equal(code('visit.dispatch', 'dispatcher', { facts: { ...agreed(), site: null } }), 'not_found');
});

test('a skill and a certification of the incident type are held on the day of the visit', () => {
  verifies('A.3d');
  const fire = { incident_type: 'FIRE_DOOR_DEFICIENCY', incident_version: 2, priority: 'ROUTINE' } as const;
  const send = (technician: Partial<TechnicianFacts>, ticket: Partial<TicketRow> = fire) => {
    const twist = { ticket, facts: agreed(technician) };
    return code('visit.dispatch', 'dispatcher', twist) === 'accepted'
      ? 'accepted'
      : refusal('visit.dispatch', 'dispatcher', twist).extra.reasons;
  };
  assert.equal(send({ certifications: [certified('fire_door_inspector')] }), 'accepted');
  assert.deepEqual(send({}), ['certification_missing']);
  assert.deepEqual(send({ certifications: [certified('fire_door_inspector', at(25 * HOUR))] }), [
    'certification_expired',
  ]);
  // The version by which it was triaged asked for none.
  assert.equal(send({}, { ...fire, incident_version: 1 }), 'accepted');
  const automatic = { ...fire, incident_type: 'AUTO_OPERATOR_FAULT' } as const;
  assert.deepEqual(send({ certifications: [certified('automatic_door_inspector')] }, automatic), [
    'skill_missing',
  ]);
});

test('somebody else takes the agreed window as it fits their day, or not at all', () => {
  verifies('A.3d');
  const input = { technician_id: TESS_ID };
  const tess = (patch: Partial<TechnicianFacts>) => ({
    input,
    facts: agreed({ id: TESS_ID, ...patch }, { technician_id: IDS.technician }),
  });
  const free = accept('visit.dispatch', 'dispatcher', tess({})).changes.visit;
  assert.equal(free?.technician_id, TESS_ID);
  // Until half past ten she is somewhere else, and the way takes its time.
  const late = {
    starts_at: at(22 * HOUR),
    ends_at: at(24.5 * HOUR),
    place: { ...STORE, lat_e6: 40_750_000 },
  };
  const fitted = accept('visit.dispatch', 'dispatcher', tess({ commitments: [late] })).changes.visit;
  assert.ok((fitted?.starts_at ?? '') > late.ends_at);
  assert.ok((fitted?.starts_at ?? '') < at(26 * HOUR), 'within the window that was promised');
  assert.equal(code('visit.dispatch', 'dispatcher', tess({ commitments: [BUSY] })), 'double_booking');
  assert.equal(code('visit.dispatch', 'dispatcher', tess({ shifts: hours(0, 60) })), 'not_eligible');
  assert.equal(
    code('visit.dispatch', 'dispatcher', { ...tess({}), input: { technician_id: IDS.otherPerson } }),
    'not_found',
  );
});

test('nobody is recommended for a time that is over', () => {
  const gone = {
    window_from: at(-3 * HOUR),
    window_to: at(-HOUR),
    visit_from: at(-3 * HOUR),
    visit_to: at(-HOUR),
  };
  const roster = [technicianFacts()];
  const facts = emptyFacts({ ...placeFacts(), ...agreed({}, gone), roster, ticket: ticketRow() });
  const { found } = recommendations({ facts, tools, now: Date.parse(NOW) });
  assert.deepEqual(found, { ranked: [], refused: [] });
});

test('a window that is over is nobody’s, and one that has begun is met from now on', () => {
  verifies('A.3d');
  const gone = {
    window_from: at(-3 * HOUR),
    window_to: at(-HOUR),
    visit_from: at(-3 * HOUR),
    visit_to: at(-HOUR),
  };
  const refused = refusal('visit.dispatch', 'dispatcher', { facts: agreed({}, gone) });
  assert.deepEqual([refused.code, refused.extra.reasons], ['not_eligible', ['window_over']]);
  const begun = {
    ...gone,
    window_from: at(-HOUR),
    window_to: at(HOUR),
    visit_from: at(-HOUR),
    visit_to: at(HOUR),
  };
  const { visit } = accept('visit.dispatch', 'dispatcher', { facts: agreed({}, begun) }).changes;
  assert.ok((visit?.starts_at ?? '') >= NOW);
});

test('an agent sends whom the time is held for, what is routine, at level 3, and names nobody', () => {
  verifies('T1.7', 'T1.5');
  const ofAgent = (twist: Twist, level: 2 | 3) =>
    code('visit.dispatch', 'agent', {
      ...twist,
      agentRole: 'agent.scheduling',
      facts: { ...agreed(), ...twist.facts, autonomy: { level, paused: false } },
    });
  assert.equal(ofAgent({}, 3), 'accepted');
  assert.notEqual(ofAgent({}, 2), 'accepted');
  for (const priority of ['URGENT', 'EMERGENCY'] as const) {
    assert.equal(ofAgent({ ticket: { priority } }, 3), 'autonomy_denied', priority);
  }
  assert.equal(ofAgent({ input: { technician_id: IDS.technician } }, 3), 'schema_mismatch');
});

/** Mostly in favour, so that one thing is in the way at a time. */
const mostly = <T>(good: T, any: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(good) }, any);
const BOTH = ['locksmith', 'automatic_doors'];
const CERTIFIED = [certified('fire_door_inspector'), certified('automatic_door_inspector', at(36 * HOUR))];

const anyTechnician = fc
  .record({
    active: mostly(true, fc.boolean()),
    skills: mostly(BOTH, fc.subarray(BOTH)),
    territories: mostly(['north'], fc.subarray(['north', 'south'])),
    certifications: mostly(
      CERTIFIED,
      fc.subarray([...CERTIFIED, certified('fire_door_inspector', at(25 * HOUR))]),
    ),
    shifts: mostly(hours(0, 1_440), fc.constantFrom(null, hours(8 * 60, 16 * 60), hours(10 * 60, 11 * 60))),
    absences: fc.subarray([{ starts_at: at(24 * HOUR), ends_at: at(25 * HOUR) }]),
    commitments: fc.subarray([
      { starts_at: at(22 * HOUR), ends_at: at(24.5 * HOUR), place: STORE },
      { starts_at: at(27 * HOUR), ends_at: at(28 * HOUR), place: { ...STORE, lat_e6: 40_800_000 } },
      { starts_at: at(MINUTE), ends_at: at(HOUR), place: STORE },
    ]),
  })
  .map((patch) => technicianFacts(patch));

test('mistake 26: whoever is recommended can be sent, whoever is not cannot, and for the same reasons', () => {
  guardsAgainst(26);
  verifies('T1.1', 'C.0');
  const types = ['DOOR_CANNOT_SECURE', 'FIRE_DOOR_DEFICIENCY', 'AUTO_OPERATOR_FAULT'] as const;
  let sent = 0;
  fc.assert(
    fc.property(anyTechnician, fc.constantFrom(...types), fc.boolean(), (technician, type, isEmergency) => {
      const ticket = {
        incident_type: type,
        incident_version: 2,
        priority: isEmergency ? ('EMERGENCY' as const) : ('ROUTINE' as const),
      };
      const options = isEmergency ? [] : [agreedOptionRow({ technician_id: TESS_ID })];
      const facts = { technician, roster: [technician], schedule: scheduleFacts({ options }) };
      const { found } = recommendations({
        facts: emptyFacts({ ...placeFacts(), ...facts, ticket: ticketRow(ticket) }),
        tools,
        now: Date.parse(NOW),
      });
      const command = isEmergency ? 'visit.dispatch_emergency' : 'visit.dispatch';
      const answer = code(command, 'dispatcher', { ticket, facts });
      assert.equal(answer === 'accepted', found.ranked.length === 1, answer);
      if (answer === 'accepted') {
        sent += 1;
        return;
      }
      const reasons = found.refused[0]?.reasons.map(({ reason }) => reason);
      assert.deepEqual(refusal(command, 'dispatcher', { ticket, facts }).extra.reasons, reasons);
    }),
    { numRuns: 300 },
  );
  assert.ok(sent > 10);
});

test('mistake 31: the same booking sent again is the stored answer, and a visit that is there is not made twice', () => {
  guardsAgainst(31);
  verifies('R.2');
  const stored = {
    fingerprint: 'f1',
    answer: { result: { visit_id: IDS.visit } },
    event_id: IDS.visit,
    event_time: NOW,
    leaf_hash: 'h',
  };
  assert.equal(code('visit.dispatch', 'dispatcher', { facts: { ...agreed(), stored } }), 'replayed');
  const again = { ...agreed(), stored: { ...stored, fingerprint: 'f2' } };
  assert.equal(code('visit.dispatch', 'dispatcher', { facts: again }), 'idempotency_key_reused');
  const there = { ...agreed(), visit: visitRow({ state: 'OFFERED' }) };
  assert.equal(code('visit.dispatch', 'dispatcher', { facts: there }), 'invalid_state');
});

test('mistake 32: no text says booked but the one that is committed with the booking', () => {
  guardsAgainst(32);
  verifies('T2.1', 'T2.3');
  for (const [command, actor, template] of [
    ['schedule.propose', 'dispatcher', 'M05'],
    ['schedule.confirm', 'dispatcher', 'M06'],
    ['visit.dispatch', 'dispatcher', 'M06'],
    ['visit.depart', 'technician', 'M08'],
    ['visit.miss', 'system', 'M09'],
  ] as const) {
    const { changes } = accept(command, actor);
    assert.deepEqual(
      changes.messages?.map((m) => m.template),
      [template],
      command,
    );
    assert.ok(changes.ticket, `${command}: the text and its fact are one commit`);
  }
  // What the agent may say by itself promises nothing.
  const said = accept('conversation.reply', 'agent', { agentRole: 'agent.scheduling' }).changes.messages;
  assert.deepEqual(
    said?.map((m) => [m.template, m.claim.kind]),
    [['phrase:thanks_noted', 'none']],
  );
});

test('who declines frees their time: the promise stands, an emergency is found anew', () => {
  verifies('A.3d');
  const decline = (emergency: boolean) =>
    accept('visit.decline', 'technician', { facts: { visit: visitRow({ state: 'OFFERED', emergency }) } })
      .changes;
  const planned = decline(false);
  assert.deepEqual(
    [planned.ticket?.state, planned.visit?.state, planned.release_booking_of, planned.end_options_of],
    ['SCHEDULED', 'DECLINED', IDS.visit, undefined],
  );
  const urgent = decline(true);
  assert.deepEqual([urgent.ticket?.state, urgent.end_options_of], ['READY_TO_SCHEDULE', IDS.ticket]);
  assert.deepEqual(urgent.tasks, [{ kind: 'visit_declined', ticket_id: IDS.ticket }]);
  for (const state of ['ACCEPTED', 'EN_ROUTE', 'ON_SITE'] as const) {
    const facts = { visit: visitRow({ state }) };
    assert.equal(code('visit.decline', 'technician', { facts }), 'invalid_state', state);
  }
});

test('who departs is on the way once, and only with a visit they accepted', () => {
  verifies('A.3d');
  assert.equal(accept('visit.depart', 'technician').changes.visit?.state, 'EN_ROUTE');
  for (const state of ['OFFERED', 'EN_ROUTE', 'ON_SITE'] as const) {
    assert.equal(
      code('visit.depart', 'technician', { facts: { visit: visitRow({ state }) } }),
      'invalid_state',
      state,
    );
  }
});

test('a visit goes to somebody else as one change: the old one cancelled, the new one offered', () => {
  verifies('A.3d', 'R.2');
  const { changes } = accept('visit.reassign', 'dispatcher');
  assert.equal(changes.cancelled_visit?.state, 'CANCELLED');
  assert.equal(changes.release_booking_of, changes.cancelled_visit?.id);
  assert.deepEqual([changes.visit?.state, changes.visit?.technician_id], ['OFFERED', IDS.technician]);
  assert.deepEqual(changes.tasks, [{ kind: 'technician_to_tell', ticket_id: IDS.ticket }]);
  const visit = (patch: Parameters<typeof visitRow>[0]) => ({
    facts: { ...agreed(), visit: visitRow({ technician_id: TESS_ID, emergency: false, ...patch }) },
  });
  for (const state of ['OFFERED', 'ACCEPTED', 'EN_ROUTE'] as const) {
    assert.equal(code('visit.reassign', 'dispatcher', visit({ state })), 'accepted', state);
  }
  assert.equal(code('visit.reassign', 'dispatcher', visit({ state: 'ON_SITE' })), 'invalid_state');
  assert.equal(
    code('visit.reassign', 'dispatcher', visit({ state: 'OFFERED', technician_id: IDS.technician })),
    'policy_denied',
  );
  assert.equal(code('visit.reassign', 'dispatcher', { facts: { visit: null } }), 'invalid_state');
  const emergency = accept(
    'visit.reassign',
    'dispatcher',
    visit({ state: 'OFFERED', emergency: true }),
  ).changes;
  assert.deepEqual([emergency.visit?.starts_at, emergency.visit?.ends_at], [at(0), at(4 * HOUR)]);
});
