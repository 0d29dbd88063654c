import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import { readChoice } from '../read-choice.ts';
import type { ChoiceRow, OptionRow, TechnicianFacts } from '../schedule-facts.ts';
import { fixedId, IDS } from '../testing/ids.ts';
import { at, HOUR, MINUTE, messageRow, NOW, visitRow } from '../testing/rows.ts';
import { accept, code, refusal, type Twist } from '../testing/scene.ts';
import {
  agreedOptionRow,
  CHOICE_ID,
  choiceRow,
  hours,
  OPTION_IDS,
  openOptionRows,
  otherTime,
  STORE,
  scheduleFacts,
  TESS_ID,
  technicianFacts,
} from '../testing/schedule-rows.ts';

const AGENT = { agentRole: 'agent.scheduling' } as const;

function proposed(roster: readonly TechnicianFacts[], ticket: Twist['ticket'] = {}): readonly OptionRow[] {
  const { changes } = accept('schedule.propose', 'dispatcher', { facts: { roster }, ticket });
  return changes.options ?? [];
}

test('one to three times are the engine’s, each holds its technician, and all end together', () => {
  verifies('A.3d');
  const { changes, event } = accept('schedule.propose', 'dispatcher');
  const options = changes.options ?? [];
  assert.deepEqual(
    options.map((o) => o.number),
    [1, 2, 3],
  );
  for (const option of options) {
    assert.equal(option.technician_id, IDS.technician);
    assert.equal(option.asked_contact_id, IDS.requester);
    assert.equal(option.proposed_at, NOW);
    assert.ok(option.held_until > NOW && option.held_until <= option.visit_from);
    assert.ok(option.window_from <= option.visit_from && option.visit_from < option.window_to);
  }
  // Half an hour passes before an emergency can be met: nothing is offered that cannot be kept.
  assert.ok((options[0]?.visit_from ?? '') >= at(30 * MINUTE));
  assert.deepEqual(
    changes.timers?.map(({ kind, target_id }) => [kind, target_id]),
    [['schedule.release', IDS.ticket]],
  );
  assert.equal(
    changes.timers?.[0]?.due_at,
    options
      .map((o) => o.held_until)
      .sort()
      .at(-1),
  );
  assert.equal(changes.messages?.[0]?.template, 'M05');
  assert.deepEqual(
    event.details.option_ids,
    options.map((o) => o.id),
  );
});

test('nobody is offered who may not be sent, and a place nobody can come to is told why', () => {
  verifies('A.3d', 'C.0');
  const tess = technicianFacts({ id: TESS_ID });
  const away = { starts_at: at(0), ends_at: at(13 * 24 * HOUR) };
  const others: readonly (readonly [Partial<TechnicianFacts>, string])[] = [
    [{ active: false }, 'inactive'],
    [{ territories: ['south'] }, 'outside_territory'],
    [{ shifts: null }, 'off_shift'],
    [{ absences: [away] }, 'absent'],
    [{ commitments: [{ ...away, place: STORE }] }, 'double_booked'],
  ];
  for (const [patch, reason] of others) {
    const tom = technicianFacts(patch);
    assert.ok(
      proposed([tom, tess]).every((o) => o.technician_id === TESS_ID),
      reason,
    );
    const alone = refusal('schedule.propose', 'dispatcher', { facts: { roster: [tom] } });
    assert.ok((alone.extra.reasons as readonly string[]).includes(reason), reason);
  }
  assert.equal(code('schedule.propose', 'dispatcher', { facts: { roster: [] } }), 'not_eligible');
});

test('times lie in the hours of the site, but for an emergency', () => {
  verifies('A.3d');
  const site = { hours: hours(9 * 60, 13 * 60), place: STORE };
  const facts = { schedule: scheduleFacts({ site }) };
  const { changes } = accept('schedule.propose', 'dispatcher', { facts, ticket: { priority: 'ROUTINE' } });
  for (const { visit_from } of changes.options ?? []) {
    const hour = Number(
      new Intl.DateTimeFormat('en-US', {
        timeZone: 'America/New_York',
        hour: 'numeric',
        hourCycle: 'h23',
      }).format(new Date(visit_from)),
    );
    assert.ok(hour >= 9 && hour <= 11, visit_from);
  }
  const closed = { schedule: scheduleFacts({ site: { hours: null, place: STORE } }) };
  assert.equal(
    code('schedule.propose', 'dispatcher', { facts: closed, ticket: { priority: 'ROUTINE' } }),
    'not_eligible',
  );
});

test('mistake 11: only what was proposed for this ticket, and is still held, is agreed on', () => {
  guardsAgainst(11);
  verifies('A.3d');
  const confirm = (
    option_id: string,
    patch: Partial<OptionRow> = {},
    actor: 'requester' | 'dispatcher' = 'dispatcher',
  ) =>
    code('schedule.confirm', actor, {
      input: { option_id },
      facts: { schedule: scheduleFacts({ options: openOptionRows(patch) }) },
    });
  for (const actor of ['requester', 'dispatcher'] as const) {
    assert.equal(confirm(OPTION_IDS[0], {}, actor), 'accepted');
    assert.equal(confirm(fixedId(0x999), {}, actor), 'not_found');
    assert.equal(confirm(OPTION_IDS[0], { ticket_id: IDS.otherTicket }, actor), 'not_found');
    assert.equal(confirm(OPTION_IDS[0], { held_until: NOW }, actor), 'superseded');
    assert.equal(confirm(OPTION_IDS[0], { held_until: 'soon' }, actor), 'superseded');
    assert.equal(confirm(OPTION_IDS[0], { confirmed_at: at(-1) }, actor), 'not_found');
  }
  // A requester takes what they were asked; a dispatcher also what nobody was.
  assert.equal(confirm(OPTION_IDS[0], { asked_contact_id: null }, 'requester'), 'policy_denied');
  assert.equal(confirm(OPTION_IDS[0], { asked_contact_id: IDS.otherPerson }, 'requester'), 'policy_denied');
  assert.equal(confirm(OPTION_IDS[0], { asked_contact_id: null }), 'accepted');
  const windows = { option_id: OPTION_IDS[0], starts_at: at(HOUR) };
  assert.equal(code('schedule.confirm', 'dispatcher', { input: windows }), 'schema_mismatch');
});

test('what is agreed becomes firm, and a text says when, on the clock of the site', () => {
  verifies('T2.1', 'A.3d');
  const { changes, event } = accept('schedule.confirm', 'requester');
  assert.equal(changes.confirm_option, OPTION_IDS[1]);
  assert.equal(changes.consume_choice, undefined);
  assert.equal(changes.messages?.[0]?.template, 'M06');
  assert.deepEqual(changes.messages?.[0]?.claim, {
    kind: 'option',
    option_id: OPTION_IDS[1],
    states: ['SCHEDULED', 'DISPATCHED', 'ON_SITE'],
  });
  assert.equal(event.details.option_id, OPTION_IDS[1]);
});

function byAgent(choices: readonly ChoiceRow[], over: Twist = {}): string {
  const schedule = scheduleFacts({ options: openOptionRows(), choices });
  return code('schedule.confirm', 'agent', { ...AGENT, ...over, facts: { schedule, ...over.facts } });
}

test('an agent confirms on a choice that plain code recorded, and on nothing else', () => {
  verifies('T1.10', 'T1.5');
  assert.equal(byAgent([choiceRow()]), 'accepted');
  const { changes } = accept('schedule.confirm', 'agent', AGENT);
  assert.equal(changes.consume_choice, CHOICE_ID);
  assert.equal(changes.confirm_option, OPTION_IDS[1]);

  assert.equal(byAgent([]), 'not_found', 'no choice at all');
  assert.equal(byAgent([choiceRow({ consumed_at: at(-1) })]), 'superseded', 'consumed before');
  assert.equal(byAgent([choiceRow({ contact_id: IDS.otherPerson })]), 'policy_denied', 'of another contact');
  assert.equal(byAgent([choiceRow({ made_at: at(-HOUR) })]), 'superseded', 'made before the proposal');
  assert.equal(byAgent([choiceRow({ made_at: at(1) })]), 'superseded', 'made in the future');
  assert.equal(byAgent([choiceRow({ ticket_id: IDS.otherTicket })]), 'not_found', 'of another ticket');
  assert.equal(byAgent([choiceRow({ option_id: fixedId(0x999) })]), 'not_found', 'of what is not offered');
  assert.equal(byAgent([otherTime()]), 'not_found', 'the opposite: none of them');
  // An earlier "2" is no answer once its owner wrote something else: the turn is of the newer message.
  assert.equal(byAgent([choiceRow({ message_id: fixedId(0x777) })]), 'not_found', 'of an earlier message');
  assert.equal(
    byAgent([choiceRow()], { input: { choice_id: OPTION_IDS[1] } }),
    'not_found',
    'an option as a choice',
  );
  assert.equal(byAgent([choiceRow()], { input: { option_id: OPTION_IDS[1] } }), 'schema_mismatch');
  const over = scheduleFacts({ options: openOptionRows({ held_until: NOW }), choices: [choiceRow()] });
  assert.equal(byAgent([], { facts: { schedule: over } }), 'superseded', 'the hold is over');
  assert.equal(byAgent([], { facts: { schedule: null } }), 'unavailable');
});

const OFFERED = {
  known_message_id: null,
  contact_id: IDS.requester,
  contact_account_ids: [IDS.account],
  site_ids: [IDS.site],
  conversation: null,
  reported_today: false,
  schedule: {
    ticket_id: IDS.ticket,
    ticket_state: 'SCHEDULE_PROPOSED',
    requester_id: IDS.requester,
    options: openOptionRows(),
  },
} as const;
const MOMENT = { ms: Date.parse(NOW), text: NOW, newId: () => CHOICE_ID };

function read(text: string | null, schedule: object | null = {}): string | null {
  const inbound = { ...OFFERED, schedule: schedule && { ...OFFERED.schedule, ...schedule } };
  const choice = readChoice(inbound, messageRow({ direction: 'IN' }), text, MOMENT);
  return choice && (choice.option_id ?? choice.kind);
}

test('a choice is a whole message that is a number on offer; a sentence chooses nothing', () => {
  verifies('T1.10', 'T1.4');
  for (const text of ['2', ' 2 ', '2.', '2)', 'option 2', 'Option #2', 'OPTION 2!']) {
    assert.equal(read(text), OPTION_IDS[1], text);
  }
  assert.equal(read('0'), 'OTHER_TIME');
  for (const text of [
    'no',
    'yes',
    'No.',
    'not 2',
    '2 or 3',
    '2 please',
    'the 2nd',
    '4',
    '22',
    '-2',
    '2/3',
    '２',
    'two',
    '',
    null,
    'Approved by: manager. Option 2',
    '2\n3',
    'option',
    'option two',
    '2 doors are stuck',
  ]) {
    assert.equal(read(text), null, String(text));
  }
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), (text) => {
      const isNumber = /^\s*(option\s*#?\s*)?[0123]\s*[.!)]?\s*$/i.test(text);
      assert.equal(read(text) !== null, isNumber);
    }),
  );
});

test('nobody chooses but who was asked, what is open, where something is on offer', () => {
  verifies('T1.10');
  assert.equal(read('2', { options: openOptionRows({ asked_contact_id: IDS.otherPerson }) }), null);
  assert.equal(read('2', { options: openOptionRows({ asked_contact_id: null }) }), null);
  assert.equal(read('2', { options: openOptionRows({ held_until: NOW }) }), null);
  assert.equal(read('2', { options: [] }), null);
  assert.equal(read('2', null), null);
  for (const ticket_state of ['READY_TO_SCHEDULE', 'SCHEDULED', 'DISPATCHED', 'ON_SITE', 'NEW']) {
    assert.equal(read('2', { ticket_state }), null, ticket_state);
  }
  assert.equal(read('0', { ticket_state: 'SCHEDULED' }), 'OTHER_TIME');
  assert.equal(read('0', { ticket_state: 'ON_SITE' }), null);
  assert.equal(read('0', { requester_id: IDS.otherPerson }), null);
});

test('a message that holds a choice commits it; one that was withheld holds none', () => {
  verifies('T1.10');
  const receive = (mask_state: 'RELEASED' | 'WITHHELD') =>
    accept('message.receive', 'gateway', {
      input: {
        channel: 'sms',
        provider_id: 'SM1',
        contact_id: IDS.requester,
        sender_hash: 'h'.repeat(43),
        doubts: [],
        received_at: NOW,
        text_id: IDS.text,
        mask_state,
        ...(mask_state === 'RELEASED' ? { masked_text: '2' } : {}),
      },
      facts: { inbound: { ...OFFERED, conversation: null } },
    }).changes;
  const changes = receive('RELEASED');
  assert.equal(changes.choice?.option_id, OPTION_IDS[1]);
  assert.equal(changes.choice?.message_id, changes.inbound_message?.id);
  assert.equal(changes.turn?.agent_role, 'agent.scheduling');
  assert.equal(receive('WITHHELD').choice, undefined);
});

test('the agent that takes part follows from where the ticket stands', () => {
  verifies('T1.9');
  const role = (ticket_state: string) =>
    accept('message.receive', 'gateway', {
      facts: {
        inbound: { ...OFFERED, schedule: { ...OFFERED.schedule, ticket_state: ticket_state as 'NEW' } },
      },
    }).changes.turn?.agent_role;
  for (const state of ['READY_TO_SCHEDULE', 'SCHEDULE_PROPOSED', 'SCHEDULED', 'DISPATCHED']) {
    assert.equal(role(state), 'agent.scheduling', state);
  }
  for (const state of ['NEW', 'NEEDS_INFO', 'TRIAGED', 'ON_SITE', 'ON_HOLD']) {
    assert.equal(role(state), 'agent.intake', state);
  }
});

test('what an agent made ready is scheduled in a turn of the system; what a person made ready is theirs', () => {
  verifies('T1.9');
  const { changes } = accept('ticket.ready', 'agent');
  assert.deepEqual(
    [changes.turn?.agent_role, changes.turn?.subject_kind, changes.turn?.subject_id, changes.turn?.ticket_id],
    ['agent.scheduling', 'system', IDS.tenant, IDS.ticket],
  );
  assert.equal(accept('ticket.ready', 'dispatcher').changes.turn, undefined);
});

test('an offer is taken back by staff and agents at any time, and by a timer when nobody answered', () => {
  verifies('A.3d', 'R.3');
  const options = (held_until: string) => ({
    facts: { schedule: scheduleFacts({ options: openOptionRows({ held_until }) }) },
  });
  assert.equal(
    accept('schedule.release', 'dispatcher', options(at(HOUR))).changes.end_options_of,
    IDS.ticket,
  );
  assert.equal(code('schedule.release', 'agent', { ...AGENT, ...options(at(HOUR)) }), 'accepted');
  const over = accept('schedule.release', 'system', options(NOW));
  assert.deepEqual(over.changes.tasks, [{ kind: 'times_unanswered', ticket_id: IDS.ticket }]);
  assert.equal(code('schedule.release', 'system', options(at(1))), 'superseded');
  assert.equal(code('schedule.release', 'system', { facts: { schedule: null } }), 'unavailable');
});

const AGREED = { schedule: scheduleFacts({ options: [agreedOptionRow()] }) };

test('an agreed time is given up with an owner of the delay, and not once somebody is on the way', () => {
  verifies('A.3d');
  const owned = (owner?: string) => ({
    ...(owner === undefined ? { input: {} } : { input: { owner } }),
    facts: AGREED,
  });
  assert.equal(
    accept('schedule.reschedule', 'dispatcher', owned('PROVIDER')).event.details.owner,
    'PROVIDER',
  );
  assert.equal(code('schedule.reschedule', 'dispatcher', owned()), 'schema_mismatch');
  assert.equal(accept('schedule.reschedule', 'requester', owned()).event.details.owner, 'CUSTOMER');
  assert.equal(code('schedule.reschedule', 'requester', owned('PROVIDER')), 'policy_denied');
  for (const [state, expected] of [
    ['OFFERED', 'accepted'],
    ['ACCEPTED', 'accepted'],
    ['EN_ROUTE', 'invalid_state'],
    ['ON_SITE', 'invalid_state'],
  ] as const) {
    const twist = { state: 'DISPATCHED', facts: { ...AGREED, visit: visitRow({ state }) } } as const;
    assert.equal(code('schedule.reschedule', 'dispatcher', twist), expected, state);
  }
  const moved = accept('schedule.reschedule', 'dispatcher', {
    state: 'DISPATCHED',
    facts: { ...AGREED, visit: visitRow({ state: 'ACCEPTED' }) },
  }).changes;
  assert.deepEqual(
    [moved.visit?.state, moved.release_booking_of, moved.end_options_of],
    ['CANCELLED', IDS.visit, IDS.ticket],
  );
});

test('an agent moves an agreed time on the wish of the requester alone, and a text moves nothing firm', () => {
  verifies('T1.10', 'T3.8');
  const move = (choice: ChoiceRow, twist: Twist = {}) =>
    code('schedule.reschedule', 'agent', {
      ...AGENT,
      facts: { schedule: scheduleFacts({ options: [agreedOptionRow()], choices: [choice] }), ...twist.facts },
      ...(twist.state === undefined ? {} : { state: twist.state }),
      ...(twist.ticket === undefined ? {} : { ticket: twist.ticket }),
    });
  assert.equal(move(otherTime()), 'accepted');
  assert.equal(move(otherTime({ consumed_at: at(-1) })), 'superseded');
  assert.equal(move(otherTime({ contact_id: IDS.otherPerson })), 'policy_denied');
  assert.equal(move(otherTime({ made_at: at(-HOUR) })), 'superseded', 'before it was agreed');
  assert.equal(move(choiceRow()), 'not_found', 'a time as the wish for another');
  assert.equal(move(otherTime(), { ticket: { priority: 'EMERGENCY' } }), 'assurance_required');
  const visit = visitRow({ state: 'OFFERED' });
  assert.equal(move(otherTime(), { state: 'DISPATCHED', facts: { visit } }), 'assurance_required');
});
