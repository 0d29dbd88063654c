import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Confirming, confirmHold, HOLD_MS, type Hold, heldTime, holdOptions, isHeld } from './holds.ts';
import { optionsFor } from './options.ts';
import { at, boardOf, entry, job, NORTH } from './testing/worlds.fixture.ts';

const NOW = at(7) * 60_000;
const OPTIONS = optionsFor(boardOf(entry()), job());

function proposed(ticket_id = 'ticket', now = NOW): readonly Hold[] {
  let next = 0;
  const newId = () => {
    next += 1;
    return `${ticket_id}-${next}`;
  };
  return holdOptions(OPTIONS, { ticket_id, contact_id: 'contact', priority: 'ROUTINE', now, newId });
}

const HOLDS = proposed();
const choice = { option_id: 'ticket-2', contact_id: 'contact', made_at: NOW + 1, is_consumed: false };
const confirm = (who: Confirming, patch: { option_id?: string; ticket_id?: string; now?: number } = {}) =>
  confirmHold(
    [...HOLDS, ...proposed('other')],
    { ticket_id: patch.ticket_id ?? 'ticket', option_id: patch.option_id ?? 'ticket-2' },
    who,
    patch.now ?? NOW + 60_000,
  );
const DISPATCHER = { as: 'dispatcher' } as const;

test('one option is taken and the others of the ticket are given back', () => {
  assert.equal(HOLDS.length, 3);
  const callers: Confirming[] = [
    DISPATCHER,
    { as: 'requester', contact_id: 'contact' },
    { as: 'agent', choice },
  ];
  for (const who of callers) {
    const answer = confirm(who);
    assert.ok('confirmed' in answer, who.as);
    assert.equal(answer.confirmed, HOLDS[1]);
    assert.deepEqual(answer.released, [HOLDS[0], HOLDS[2]]);
  }
});

test('what was not proposed for this ticket, or has run out, nobody confirms', () => {
  const until = HOLDS[1]?.held_until ?? 0;
  assert.ok('confirmed' in confirm(DISPATCHER, { now: until - 1 }));
  assert.deepEqual(confirm(DISPATCHER, { now: until }), { refused: 'hold_expired' });
  assert.deepEqual(confirm(DISPATCHER, { option_id: 'ticket-4' }), { refused: 'not_proposed' });
  assert.deepEqual(confirm(DISPATCHER, { option_id: 'other-1' }), { refused: 'not_proposed' });
  assert.deepEqual(confirm(DISPATCHER, { ticket_id: 'constructor' }), { refused: 'not_proposed' });
  const unreadable = [{ ...(HOLDS[0] as Hold), held_until: Number.NaN }];
  const asked = { ticket_id: 'ticket', option_id: 'ticket-1' };
  assert.deepEqual(confirmHold(unreadable, asked, DISPATCHER, NOW), { refused: 'hold_expired' });
});

test('only who was asked chooses, and an agent brings that choice, unspent and made after the question', () => {
  const agent = (patch: Partial<typeof choice> | null): Confirming => ({
    as: 'agent',
    choice: patch && { ...choice, ...patch },
  });
  assert.deepEqual(confirm({ as: 'requester', contact_id: 'somebody' }), { refused: 'not_asked' });
  assert.deepEqual(confirm(agent(null)), { refused: 'no_choice' });
  assert.deepEqual(confirm(agent({ option_id: 'ticket-1' })), { refused: 'no_choice' });
  assert.deepEqual(confirm(agent({ contact_id: 'somebody' })), { refused: 'not_asked' });
  assert.deepEqual(confirm(agent({ is_consumed: true })), { refused: 'choice_consumed' });
  assert.deepEqual(confirm(agent({ is_consumed: undefined as never })), { refused: 'choice_consumed' });
  assert.deepEqual(confirm(agent({ made_at: NOW - 1 })), { refused: 'choice_too_early' });
  assert.deepEqual(confirm(agent({ made_at: NOW + 60_001 })), { refused: 'choice_too_early' });
  assert.deepEqual(confirm(agent({ made_at: Number.NaN })), { refused: 'choice_too_early' });
  assert.deepEqual(confirm({ as: 'link' } as never), { refused: 'not_asked' });
});

test('a hold ends with its time to live, or when the visit would begin', () => {
  assert.deepEqual(HOLD_MS, { EMERGENCY: 900_000, URGENT: 3_600_000, ROUTINE: 14_400_000 });
  assert.equal(HOLDS[2]?.held_until, NOW + HOLD_MS.ROUTINE);
  assert.equal(HOLDS[0]?.held_until, (HOLDS[0]?.visit.from ?? 0) * 60_000);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: HOLD_MS.ROUTINE * 2 }), (later) => {
      const held = HOLDS.filter((hold) => isHeld(hold, NOW + later));
      assert.deepEqual(
        held,
        HOLDS.filter((hold) => NOW + later < hold.held_until),
      );
      const taken = HOLDS.flatMap((hold) => heldTime([hold], hold.technician_id, NOW + later, () => NORTH));
      assert.equal(taken.length, held.length);
    }),
  );
  assert.deepEqual(
    heldTime(HOLDS, 'somebody', NOW, () => NORTH),
    [],
  );
});

test('time that is held is offered to nobody else, and comes back when nobody answers', () => {
  const offered = (now: number) => {
    const commitments = heldTime(HOLDS, 'tess', now, () => NORTH);
    return optionsFor(boardOf(entry({ commitments })), job()).map((one) => one.visit.from);
  };
  const first = HOLDS.map((hold) => hold.visit);
  for (const from of offered(NOW)) assert.ok(!first.some((one) => one.from <= from && from < one.to));
  assert.deepEqual(
    offered(NOW + HOLD_MS.ROUTINE),
    first.map((one) => one.from),
  );
});
