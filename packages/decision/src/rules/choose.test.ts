import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS, SERVICES, TICKET_STATES } from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import type { Facts } from '../facts.ts';
import type { TappedLinkFacts } from '../schedule-facts.ts';
import { fixedId, IDS } from '../testing/ids.ts';
import { at, conversationRow, NOW, visitRow } from '../testing/rows.ts';
import { accept, code, type Twist } from '../testing/scene.ts';
import {
  agreedOptionRow,
  LINK_SECRET,
  OPTION_IDS,
  openOptionRows,
  optionRow,
  scheduleFacts,
  tappedLink,
  tapSaid,
} from '../testing/schedule-rows.ts';

const SECOND = { link: LINK_SECRET, kind: 'OPTION', option_id: OPTION_IDS[1] } as const;
const OTHER_TIMES = { link: LINK_SECRET, kind: 'OTHER_TIME' } as const;
const tap = (twist: Twist = {}) => code('choice.make', 'link', { state: 'SCHEDULE_PROPOSED', ...twist });
const taps = (facts: Partial<Facts>, twist: Twist = {}) => tap({ ...twist, facts });
const byLink = (patch: Partial<TappedLinkFacts>, twist: Twist = {}) =>
  taps({ tapped_link: tappedLink(patch) }, twist);

test('a tap is one choice of the recipient, read by an agent of times in a turn of its own', () => {
  verifies('T1.10', 'A.3d');
  const { changes, event } = accept('choice.make', 'link', { state: 'SCHEDULE_PROPOSED' });
  const message = changes.inbound_message;
  assert.deepEqual(changes.choice, {
    id: changes.choice?.id,
    ticket_id: IDS.ticket,
    kind: 'OPTION',
    option_id: OPTION_IDS[1],
    contact_id: IDS.requester,
    message_id: message?.id,
    link_hash: tappedLink().hash,
    channel: 'web',
    made_at: NOW,
    consumed_at: null,
  });
  assert.deepEqual(
    [
      changes.turn?.agent_role,
      changes.turn?.subject_kind,
      changes.turn?.subject_id,
      changes.turn?.message_id,
    ],
    ['agent.scheduling', 'contact', IDS.requester, message?.id],
  );
  assert.equal(changes.context_entry?.masked_text, '2', 'as if they had written the number');
  assert.deepEqual([message?.text_id, message?.contact_id, message?.channel], [null, IDS.requester, 'web']);
  // Nothing is agreed by it, and nothing else is changed.
  assert.deepEqual(event.effects, []);
  assert.deepEqual(Object.keys(changes).sort(), ['choice', 'context_entry', 'inbound_message', 'turn']);
  assert.ok(!JSON.stringify(event).includes(LINK_SECRET), 'the secret is not in the trail');
});

test('the wish for other times is a choice too, while the ticket has a time', () => {
  verifies('T1.10');
  for (const state of TICKET_STATES) {
    const can = ['SCHEDULE_PROPOSED', 'SCHEDULED', 'DISPATCHED'].includes(state);
    const answer = tap({ state, input: OTHER_TIMES });
    assert.equal(answer === 'accepted', can, `${state}: ${answer}`);
    const number = tap({ state, input: SECOND });
    assert.equal(number === 'accepted', state === 'SCHEDULE_PROPOSED', `${state}: ${number}`);
  }
  for (const state of ['EN_ROUTE', 'ON_SITE'] as const) {
    const late = { state: 'DISPATCHED', input: OTHER_TIMES } as const;
    assert.equal(taps({ visit: visitRow({ state }) }, late), 'superseded', state);
    assert.equal(taps({ visit: visitRow({ state: 'ACCEPTED' }) }, late), 'accepted');
  }
});

test('a link is good for itself alone: unknown, another’s, another ticket’s, used, overtaken, expired hold', () => {
  verifies('T1.10', 'T3.12', 'C.0');
  assert.equal(tap(), 'accepted');
  assert.equal(taps({ tapped_link: null }), 'not_found');
  assert.equal(taps({ ticket: null }), 'not_found');
  assert.equal(byLink({ hash: 'x' }), 'not_found', 'facts of another link');
  assert.equal(byLink({ tenant_id: IDS.otherTenant }), 'not_found');
  assert.equal(byLink({ message: tapSaid({ ticket_id: IDS.otherTicket }) }), 'not_found');
  assert.equal(byLink({ is_used: true }), 'superseded');
  assert.equal(byLink({ is_used: undefined as never }), 'superseded');
  assert.equal(byLink({ contact_id: IDS.otherPerson }), 'not_found', 'a text to somebody else');
  const theirs = { contact_id: IDS.otherPerson };
  assert.equal(byLink({ ...theirs, message: tapSaid(theirs) }), 'superseded', 'nobody asked them');
  // The text spoke of an offer that was taken back, or of a state that is over.
  const older = tapSaid({
    claim: { kind: 'option', option_id: fixedId(0x399), states: ['SCHEDULE_PROPOSED'] },
  });
  assert.equal(byLink({ message: older }), 'superseded');
  assert.equal(byLink({ message: tapSaid({ claim: { kind: 'none' } }) }), 'invalid_state');
  const ofAgreed = { kind: 'option', option_id: OPTION_IDS[1], states: ['SCHEDULED'] } as const;
  assert.equal(byLink({ message: tapSaid({ claim: ofAgreed }) }), 'invalid_state');
  // The hold.
  const late = scheduleFacts({ options: openOptionRows({ held_until: NOW }) });
  assert.equal(taps({ schedule: late }), 'superseded');
  const agreed = scheduleFacts({ options: [agreedOptionRow()] });
  assert.equal(taps({ schedule: agreed }), 'superseded');
  assert.equal(taps({ schedule: null }), 'unavailable');
});

test('an option of another ticket, or asked of another, is not chosen', () => {
  verifies('T1.10');
  const input = { link: LINK_SECRET, kind: 'OPTION', option_id: fixedId(0x398) };
  assert.equal(tap({ input }), 'not_found');
  const others = openOptionRows({ asked_contact_id: IDS.otherPerson });
  assert.equal(taps({ schedule: scheduleFacts({ options: others }) }), 'superseded');
  const alien = [
    ...openOptionRows(),
    optionRow({ id: fixedId(0x398), ticket_id: IDS.otherTicket, asked_contact_id: IDS.otherPerson }),
  ];
  assert.equal(taps({ schedule: scheduleFacts({ options: alien }) }, { input }), 'superseded');
  assert.equal(tap({ input: { link: LINK_SECRET, kind: 'OPTION' } }), 'schema_mismatch');
  const both = { ...OTHER_TIMES, option_id: OPTION_IDS[1] };
  assert.equal(tap({ input: both }), 'schema_mismatch');
  const stranger = { ticket: { requester_id: IDS.otherPerson }, input: OTHER_TIMES } as const;
  assert.equal(tap(stranger), 'superseded');
});

test('another secret than the one the facts are of makes nothing, whatever it is', () => {
  verifies('T1.10', 'T3.12');
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 34, maxLength: 34 }),
      (link) => {
        const input = { link, kind: 'OPTION', option_id: OPTION_IDS[1] };
        assert.equal(tap({ input }), link === LINK_SECRET ? 'accepted' : 'not_found');
      },
    ),
    { numRuns: 50 },
  );
});

test('web without a token sends this and nothing else, and nobody else sends this', () => {
  verifies('T4.2', 'T4.5', 'A.4');
  for (const { name } of COMMANDS) {
    if (name !== 'choice.make') assert.equal(code(name, 'link'), 'above_ceiling', name);
  }
  for (const service of SERVICES) {
    if (service === 'web') continue;
    assert.equal(tap({ caller: { service } }), 'above_ceiling', service);
  }
  for (const scope of ['person', 'turn', 'step-up', 'service'] as const) {
    assert.equal(tap({ caller: { scope } }), 'above_ceiling', scope);
  }
  const contact = { subject: { kind: 'contact', id: IDS.requester } } as const;
  assert.equal(tap({ caller: contact }), 'above_ceiling');
  assert.equal(tap({ caller: { assurance: 'L2' } }), 'above_ceiling');
  assert.equal(tap({ caller: { assurance: 'L0' } }), 'assurance_required');
});

test('the agent sleeps through a tap as through a text; where nobody reads along a person is called', () => {
  verifies('T1.7', 'A.4');
  const turnOf = (facts: Partial<Facts>) =>
    accept('choice.make', 'link', { state: 'SCHEDULE_PROPOSED', facts }).changes;
  assert.equal(turnOf({ autonomy: { level: 3, paused: true } }).turn, undefined);
  const human = turnOf({ conversation: conversationRow({ state: 'HUMAN' }) });
  assert.deepEqual([human.turn, human.inbound_message?.conversation_id], [undefined, IDS.conversation]);
  for (const conversation of [
    null,
    conversationRow({ state: 'CLOSED' }),
    conversationRow({ contact_id: IDS.otherPerson }),
  ]) {
    const changes = turnOf({ conversation });
    assert.deepEqual(
      [changes.turn, changes.context_entry, changes.inbound_message?.conversation_id],
      [undefined, undefined, null],
    );
    assert.deepEqual(changes.tasks, [{ kind: 'choice_waits', ticket_id: IDS.ticket }]);
  }
});

test('the text that offers times, and the one that tells the agreed one, carry a link each for one tap', () => {
  verifies('T1.10', 'T3.12');
  for (const [command, expires_at] of [
    ['schedule.propose', null],
    ['schedule.confirm', openOptionRows()[1]?.window_to],
  ] as const) {
    const { changes } = accept(command, 'dispatcher');
    const [message] = changes.messages ?? [];
    const link = changes.links?.find(({ purpose }) => purpose === 'choice');
    assert.deepEqual([link?.object_id, link?.contact_id], [message?.id, IDS.requester], command);
    const until =
      expires_at ??
      changes.options
        ?.map((o) => o.held_until)
        .sort()
        .at(-1);
    assert.equal(link?.expires_at, until, command);
  }
  // A ticket that nobody on file asked for has nobody to tap.
  const nobody = accept('schedule.propose', 'dispatcher', { ticket: { requester_id: null } }).changes;
  assert.deepEqual([nobody.messages, nobody.links], [undefined, undefined]);
});

test('a tap moves what a text does not: a ticket that was dispatched, and an emergency', () => {
  verifies('T1.10', 'C.0');
  const move = (link_hash: string | null, twist: Twist) =>
    code('schedule.reschedule', 'agent', {
      agentRole: 'agent.scheduling',
      ...twist,
      facts: {
        schedule: scheduleFacts({
          options: [agreedOptionRow()],
          choices: [
            {
              id: fixedId(0x310),
              ticket_id: IDS.ticket,
              kind: 'OTHER_TIME',
              option_id: null,
              contact_id: IDS.requester,
              message_id: IDS.message,
              link_hash,
              channel: link_hash === null ? 'sms' : 'web',
              made_at: at(-1),
              consumed_at: null,
            },
          ],
        }),
        ...twist.facts,
      },
    });
  const firm: readonly Twist[] = [
    { state: 'DISPATCHED', facts: { visit: visitRow({ state: 'ACCEPTED' }) } },
    { state: 'SCHEDULED', ticket: { priority: 'EMERGENCY' } },
  ];
  for (const twist of firm) {
    assert.equal(move(null, twist), 'assurance_required');
    // What nobody said is no tap either.
    assert.equal(move('', twist), 'assurance_required');
    assert.equal(move(undefined as unknown as null, twist), 'assurance_required');
    assert.equal(move('h', twist), 'accepted');
  }
  assert.equal(move(null, { state: 'SCHEDULED' }), 'accepted');
  // Not once somebody is on the way.
  const late = { state: 'DISPATCHED', facts: { visit: visitRow({ state: 'EN_ROUTE' }) } } as const;
  assert.equal(move('h', late), 'invalid_state');
});
