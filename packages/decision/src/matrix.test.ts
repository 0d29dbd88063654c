import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASSURANCES, COMMANDS, SERVICES } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import { decide } from './decide.ts';
import type { Facts } from './facts.ts';
import { RULED_COMMANDS } from './rules.ts';
import {
  ALL_REINS,
  type Cell,
  type Claim,
  claimsOfAgents,
  claimsOfPeople,
  EXTREME_REINS,
  MEMBERSHIPS,
  type Reins,
  STATES,
} from './testing/matrix-cells.ts';
import { callerOf, factsOf, requestOf } from './testing/matrix-facts.ts';
import { NAIVE_COMMANDS, naiveAnswer } from './testing/naive-gate.ts';
import { createTestTools } from './testing/tools.ts';

// Millions of refusals are made here, and nobody reads where they were thrown.
Error.stackTraceLimit = 0;

const tools = createTestTools();

/** The same facts with other reins and another assurance of the turn. */
function factsWith(facts: Facts, cell: Cell): Facts {
  return {
    ...facts,
    autonomy: { level: cell.autonomy, paused: cell.paused },
    conversation: facts.conversation && { ...facts.conversation, state: cell.human ? 'HUMAN' : 'AGENT' },
    turn: facts.turn && { ...facts.turn, assurance: cell.assurance },
  };
}

function actualAnswer(cell: Cell, facts: Facts): string {
  const decision = decide(requestOf(cell), callerOf(cell), factsWith(facts, cell), tools);
  return decision.kind === 'refused' ? decision.code : decision.kind;
}

interface Tally {
  cells: number;
  accepted: number;
  readonly wrong: string[];
}

/** Asks both implementations every cell of these claims. */
function enumerate(claims: readonly Claim[], reinsOf: (claim: Claim) => readonly Reins[]): Tally {
  const tally: Tally = { cells: 0, accepted: 0, wrong: [] };
  for (const { name: command } of COMMANDS) {
    for (const claim of claims) {
      for (const state of STATES) {
        for (const membership of MEMBERSHIPS) {
          const still = { ...claim, command, state, membership };
          const facts = factsOf(still);
          for (const assurance of ASSURANCES) {
            for (const reins of reinsOf(claim)) compare(tally, { ...still, ...reins, assurance }, facts);
          }
        }
      }
    }
  }
  return tally;
}

function compare(tally: Tally, cell: Cell, facts: Facts): void {
  const expected = naiveAnswer(cell);
  const actual = actualAnswer(cell, facts);
  tally.cells += 1;
  if (actual === 'accepted') tally.accepted += 1;
  if (actual !== expected && tally.wrong.length < 20) {
    tally.wrong.push(`${JSON.stringify(cell)}: design says ${expected}, gate says ${actual}`);
  }
}

test('catalogue, rules and the hand-written table name the same commands', () => {
  const names = COMMANDS.map((c) => c.name).sort();
  assert.deepEqual([...RULED_COMMANDS].sort(), names);
  assert.deepEqual([...NAIVE_COMMANDS].sort(), names);
  assert.equal(names.length, 34);
});

test('people: every command, service, role, state, membership and assurance agrees with the design', (t) => {
  verifies('T1.2', 'A.3a', 'A.3b', 'A.3c', 'A.3d', 'C.2', 'C.3', 'T4.5');
  const tally = enumerate(claimsOfPeople(), () => EXTREME_REINS);
  t.diagnostic(`${tally.cells} cells, ${tally.accepted} accepted`);
  assert.deepEqual(tally.wrong, []);
  assert.ok(tally.accepted > 0);
});

test('agents: every command, pair, state, membership, assurance, level, pause and take-over agrees with the design', (t) => {
  verifies('T1.2', 'T1.9', 'T1.7', 'A.3a', 'A.4');
  const bridge = enumerate(claimsOfAgents(['tool-bridge']), () => ALL_REINS);
  const others = SERVICES.filter((s) => s !== 'tool-bridge');
  // No other service may speak for an agent at all; what reins the agent is on cannot matter to that.
  const elsewhere = enumerate(claimsOfAgents(others), () => EXTREME_REINS.slice(0, 1));
  t.diagnostic(
    `${bridge.cells + elsewhere.cells} cells, ${bridge.accepted} accepted through the bridge, ${elsewhere.accepted} elsewhere`,
  );
  assert.deepEqual(bridge.wrong, []);
  assert.deepEqual(elsewhere.wrong, []);
  assert.ok(bridge.accepted > 0);
  assert.equal(elsewhere.accepted, 0);
});
