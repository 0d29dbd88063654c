import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT_ROLES, ASSURANCES, assuranceRank, CEILINGS, COMMANDS } from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { decide } from './decide.ts';
import {
  ALL_REINS,
  type Cell,
  type Claim,
  claimsOfPeople,
  MEMBERSHIPS,
  STATES,
  statesOf,
} from './testing/matrix-cells.ts';
import { callerOf, factsOf, requestOf } from './testing/matrix-facts.ts';
import { naiveAnswer, naiveAnswerWhenLate } from './testing/naive-gate.ts';
import { REMOVALS, type Situation } from './testing/removals.ts';
import { createTestTools } from './testing/tools.ts';

Error.stackTraceLimit = 0;

const tools = createTestTools();

function isAccepted(cell: Cell, situation: Situation): boolean {
  return decide(requestOf(cell), situation.caller, situation.facts, tools).kind === 'accepted';
}

function situationOf(cell: Cell): Situation {
  const facts = factsOf(cell);
  return {
    caller: callerOf(cell),
    facts: {
      ...facts,
      autonomy: { level: cell.autonomy, paused: cell.paused },
      conversation: facts.conversation && { ...facts.conversation, state: cell.human ? 'HUMAN' : 'AGENT' },
      turn: facts.turn && { ...facts.turn, assurance: cell.assurance },
    },
  };
}

const AGENT_CLAIMS: readonly Claim[] = AGENT_ROLES.flatMap((agent) => [
  { service: 'tool-bridge', role: 'requester', kind: 'contact', agent },
  { service: 'tool-bridge', role: 'system', kind: 'system', agent },
]);

/** Every cell that the design accepts, for whoever is connected with the target. */
function acceptedCells(): readonly Cell[] {
  const cells: Cell[] = [];
  for (const { name: command } of COMMANDS) {
    for (const claim of [...claimsOfPeople(), ...AGENT_CLAIMS]) {
      for (const state of statesOf(command)) {
        for (const assurance of ASSURANCES) {
          // People have no level; agents are asked at the lowest that lets them act, and above it.
          for (const autonomy of claim.agent === null ? ([0] as const) : ([1, 2, 3] as const)) {
            const free = { autonomy, paused: false, human: false };
            const cell: Cell = { ...claim, ...free, command, state, membership: 'own', assurance };
            if (naiveAnswer(cell) === 'accepted') cells.push(cell);
          }
        }
      }
    }
  }
  return cells;
}

const CLAIMS = [...claimsOfPeople(), ...AGENT_CLAIMS];

const anyCell: fc.Arbitrary<Cell> = fc
  .record({
    command: fc.constantFrom(...COMMANDS.map((c) => c.name)),
    claim: fc.constantFrom(...CLAIMS),
    state: fc.constantFrom(...STATES),
    membership: fc.constantFrom(...MEMBERSHIPS),
    assurance: fc.constantFrom(...ASSURANCES),
    reins: fc.constantFrom(...ALL_REINS),
  })
  .map(({ claim, reins, ...rest }) => ({ ...claim, ...reins, ...rest }))
  // Above its ceiling a service is refused outright, and claiming less is then no removal (the last test).
  .filter(({ service, assurance }) => assuranceRank(assurance) <= assuranceRank(CEILINGS[service].upTo));

const ACCEPTED = acceptedCells();

test('whatever one thing is taken away, and then another, no refusal becomes an acceptance: enumerated', (t) => {
  verifies('C.0', 'T1.2', 'C.4');
  let pairs = 0;
  for (const cell of ACCEPTED) {
    const start = situationOf(cell);
    assert.ok(isAccepted(cell, start), JSON.stringify(cell));
    for (const first of REMOVALS) {
      const once = first.apply(start);
      // Taken from an acceptance, one removal may leave it; what is refused after one stays refused after two.
      if (isAccepted(cell, once)) continue;
      for (const second of REMOVALS) {
        pairs += 1;
        assert.equal(
          isAccepted(cell, second.apply(once)),
          false,
          `${first.name}, then ${second.name}: ${JSON.stringify(cell)}`,
        );
      }
    }
  }
  t.diagnostic(`${ACCEPTED.length} accepted cells, ${pairs} pairs of removals`);
  assert.ok(pairs > 10_000);
});

test('no chain of removals, from wherever it starts, turns a refusal into an acceptance', () => {
  verifies('C.0', 'T1.2');
  const anyChain = fc.array(fc.constantFrom(...REMOVALS), { minLength: 1, maxLength: 6 });
  const anyStart = fc.oneof(fc.constantFrom(...ACCEPTED), anyCell);
  fc.assert(
    fc.property(anyStart, anyChain, (cell, chain) => {
      let situation = situationOf(cell);
      let before = isAccepted(cell, situation);
      for (const removal of chain) {
        situation = removal.apply(situation);
        const after = isAccepted(cell, situation);
        assert.ok(before || !after, `${removal.name} turned a refusal into an acceptance`);
        before = after;
      }
    }),
    { numRuns: 5_000 },
  );
});

test('a late witness stops acts of authority and changes nothing else, for anybody', () => {
  verifies('R.6', 'C.0', 'T1.2');
  const agree = (cell: Cell) => {
    const { caller, facts } = situationOf(cell);
    for (const witness of ['late', undefined as never] as const) {
      const decision = decide(requestOf(cell), caller, { ...facts, witness }, tools);
      const answer = decision.kind === 'refused' ? decision.code : decision.kind;
      assert.equal(answer, naiveAnswerWhenLate(cell), JSON.stringify(cell));
      if (answer === 'unavailable' && decision.kind === 'refused')
        assert.equal(decision.detail, 'witness_late');
    }
  };
  for (const cell of ACCEPTED) agree(cell);
  fc.assert(fc.property(anyCell, agree), { numRuns: 5_000 });
  // What stops something is never stopped itself.
  for (const command of [
    'autonomy.pause',
    'approval.withdraw',
    'approval.expire',
    'ticket.cancel',
    'ticket.hold',
  ]) {
    assert.ok(ACCEPTED.some((cell) => cell.command === command && naiveAnswerWhenLate(cell) === 'accepted'));
  }
});

test('every removal refuses something: none of them is only decoration', () => {
  verifies('C.0');
  for (const removal of REMOVALS) {
    const refuses = ACCEPTED.some((cell) => !isAccepted(cell, removal.apply(situationOf(cell))));
    assert.ok(refuses, removal.name);
  }
});

test('more proof than the service may claim is refused outright, so proof is compared below the ceiling only', () => {
  verifies('T4.5');
  const cell: Cell = {
    command: 'ticket.triage',
    service: 'web',
    role: 'dispatcher',
    kind: 'staff',
    agent: null,
    state: 'NEW',
    membership: 'own',
    assurance: 'L1',
    autonomy: 2,
    paused: false,
    human: false,
  };
  assert.equal(isAccepted(cell, situationOf(cell)), true);
  const claimed: Cell = { ...cell, assurance: 'L3' };
  assert.equal(isAccepted(claimed, situationOf(claimed)), false);
});
