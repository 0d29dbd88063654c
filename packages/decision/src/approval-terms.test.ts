import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { chooseDecider, isSettled, proofNeeded, releasedCents } from './approval-terms.ts';
import { fixedId, IDS, personOf } from './testing/ids.ts';
import { approvalRow, approverFacts, at, HOUR, MINUTE, ticketRow } from './testing/rows.ts';

const NOW = Date.parse(at(0));

function proof(amountCents: number, patch: Partial<Parameters<typeof proofNeeded>[0]> = {}) {
  const { assurance, deciders } = proofNeeded({
    kind: 'NTE_INCREASE',
    amountCents,
    releasedBefore: 0,
    baseNteCents: 75_000,
    earlier: [],
    now: NOW,
    ...patch,
  });
  return `${assurance} x${deciders}`;
}

test('a small increase needs a code, everything else a passkey', () => {
  verifies('T3.2');
  assert.equal(proof(25_000), 'L2 x1');
  assert.equal(proof(25_001), 'L3 x1');
  for (const kind of ['PROPOSAL', 'RETURN_TRIP', 'AFTER_HOURS_RATE', 'SUBSTITUTE_PART'] as const) {
    assert.equal(proof(1, { kind }), 'L3 x1');
  }
});

test('small is cumulative, and at most half of the first NTE', () => {
  verifies('T3.5');
  assert.equal(proof(10_000, { releasedBefore: 15_000 }), 'L2 x1');
  assert.equal(proof(10_000, { releasedBefore: 15_001 }), 'L3 x1');
  assert.equal(proof(17_500, { baseNteCents: 35_000 }), 'L2 x1');
  assert.equal(proof(17_501, { baseNteCents: 35_000 }), 'L3 x1');
  assert.equal(proof(1, { baseNteCents: 0 }), 'L3 x1');
});

test('a second request within the hour needs one step more, and above a passkey a second person', () => {
  verifies('T3.2', 'T3.5');
  const recent = [{ requested_at: at(-HOUR + 1) }];
  assert.equal(proof(1_000, { earlier: recent }), 'L3 x1');
  assert.equal(proof(40_000, { earlier: recent }), 'L3 x2');
  assert.equal(proof(1_000, { earlier: [{ requested_at: at(-HOUR) }] }), 'L2 x1');
  assert.equal(proof(1_000, { earlier: [{ requested_at: 'once' }] }), 'L3 x1');
});

test('above five thousand dollars two people decide', () => {
  verifies('T3.5');
  assert.equal(proof(500_000), 'L3 x1');
  assert.equal(proof(500_001), 'L3 x2');
  assert.equal(proof(300_000, { releasedBefore: 300_000 }), 'L3 x2');
});

test('asking for more, or after more was released, never needs less proof', () => {
  verifies('T3.5');
  const rank = (text: string) => Number(text[1]) * 10 + Number(text.at(-1));
  const cents = fc.integer({ min: 1, max: 1_000_000 });
  fc.assert(
    fc.property(cents, cents, fc.integer({ min: 0, max: 600_000 }), (a, b, releasedBefore) => {
      const [less, more] = a < b ? [a, b] : [b, a];
      assert.ok(rank(proof(less, { releasedBefore })) <= rank(proof(more, { releasedBefore })));
      assert.ok(rank(proof(less)) <= rank(proof(less, { releasedBefore })));
    }),
  );
});

test('money that no approval in the list explains counts as released', () => {
  verifies('T3.5');
  const ticket = ticketRow({ nte_cents: 95_000 });
  assert.equal(releasedCents(ticket, []), 20_000);
  const consumed = [approvalRow({ state: 'CONSUMED', amount_cents: 30_000 }), approvalRow()];
  assert.equal(releasedCents(ticket, consumed), 30_000);
});

test('the smallest limit that covers is asked first', () => {
  verifies('T3.1');
  const large = approverFacts({ contact_id: fixedId(70), approval_limit_cents: 2_000_000 });
  const approvers = [large, approverFacts()];
  assert.equal(chooseDecider(approvers, 500_000, [], NOW).contact_id, IDS.approver);
  assert.equal(chooseDecider(approvers, 500_001, [], NOW).contact_id, large.contact_id);
  assert.throws(() => chooseDecider(approvers, 2_000_001, [], NOW), DispatchError);
  assert.throws(() => chooseDecider([], 1, [], NOW), DispatchError);
});

test('whoever asked, opened or works is not asked, under whatever contact', () => {
  verifies('T3.5');
  const alias = approverFacts({ contact_id: fixedId(71) });
  const approvers = [approverFacts(), alias];
  assert.equal(chooseDecider(approvers, 1, [personOf(IDS.requester)], NOW).contact_id, IDS.approver);
  assert.throws(() => chooseDecider(approvers, 1, [personOf(IDS.approver)], NOW), DispatchError);
});

test('a right that changed within a day releases nothing yet', () => {
  verifies('T3.6');
  assert.equal(isSettled(at(-24 * HOUR), NOW), true);
  assert.equal(isSettled(at(-24 * HOUR + MINUTE), NOW), false);
  assert.equal(isSettled('never', NOW), false);
  const fresh = [approverFacts({ changed_at: at(-HOUR) })];
  assert.throws(() => chooseDecider(fresh, 1, [], NOW), DispatchError);
});
