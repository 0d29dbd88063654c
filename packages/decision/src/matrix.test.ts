import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASSURANCES, type Assurance, COMMANDS, SERVICES, type ServiceName } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import type { Caller } from './caller.ts';
import type { Decision } from './changes.ts';
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
function factsWith(facts: Facts, { autonomy, paused, human }: Reins, assurance: Assurance): Facts {
  return {
    ...facts,
    autonomy: { level: autonomy, paused },
    conversation: facts.conversation && { ...facts.conversation, state: human ? 'HUMAN' : 'AGENT' },
    turn: facts.turn && { ...facts.turn, assurance },
  };
}

interface Tally {
  cells: number;
  accepted: number;
  readonly wrong: string[];
}

/** Whoever is spoken for, and every service that claims to. Facts know of no service, so these share theirs. */
type Speaker = Omit<Claim, 'service'> & { readonly services: readonly ServiceName[] };

function speakersOf(claims: readonly Claim[]): readonly Speaker[] {
  const speakers = new Map<string, Speaker>();
  for (const { service, ...who } of claims) {
    const key = `${who.role} ${who.kind} ${who.agent}`;
    const services = [...(speakers.get(key)?.services ?? []), service];
    speakers.set(key, { ...who, services });
  }
  return [...speakers.values()];
}

/** Asks both implementations every cell of these claims. */
function enumerate(claims: readonly Claim[], reins: readonly Reins[]): Tally {
  const tally: Tally = { cells: 0, accepted: 0, wrong: [] };
  for (const { services, ...who } of speakersOf(claims)) {
    for (const { name: command } of COMMANDS) {
      const callers = new Map<string, Caller>();
      for (const state of STATES) {
        const request = requestOf({ ...who, command, state });
        for (const membership of MEMBERSHIPS) {
          const facts = factsOf({ ...who, command, state, membership });
          for (const assurance of ASSURANCES) {
            for (const rein of reins) {
              const known = factsWith(facts, rein, assurance);
              for (const service of services) {
                const cell: Cell = { ...who, ...rein, command, state, membership, assurance, service };
                const key = `${service} ${assurance}`;
                const caller = callers.get(key) ?? callerOf(cell);
                callers.set(key, caller);
                compare(tally, cell, decide(request, caller, known, tools));
              }
            }
          }
        }
      }
    }
  }
  return tally;
}

function compare(tally: Tally, cell: Cell, decision: Decision): void {
  const expected = naiveAnswer(cell);
  const actual = decision.kind === 'refused' ? decision.code : decision.kind;
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
  assert.equal(names.length, 85);
});

test('people: every command, service, role, state, membership and assurance agrees with the design', (t) => {
  verifies('T1.2', 'A.3a', 'A.3b', 'A.3c', 'A.3d', 'C.2', 'C.3', 'T4.5');
  const tally = enumerate(claimsOfPeople(), EXTREME_REINS);
  t.diagnostic(`${tally.cells} cells, ${tally.accepted} accepted`);
  assert.deepEqual(tally.wrong, []);
  assert.ok(tally.accepted > 0);
});

test('agents: every command, pair, state, membership, assurance, level, pause and take-over agrees with the design', (t) => {
  verifies('T1.2', 'T1.9', 'T1.7', 'A.3a', 'A.4');
  const bridge = enumerate(claimsOfAgents(['tool-bridge']), ALL_REINS);
  const others = SERVICES.filter((s) => s !== 'tool-bridge');
  // No other service may speak for an agent at all; what reins the agent is on cannot matter to that.
  const elsewhere = enumerate(claimsOfAgents(others), EXTREME_REINS.slice(0, 1));
  t.diagnostic(
    `${bridge.cells + elsewhere.cells} cells, ${bridge.accepted} accepted through the bridge, ${elsewhere.accepted} elsewhere`,
  );
  assert.deepEqual(bridge.wrong, []);
  assert.deepEqual(elsewhere.wrong, []);
  assert.ok(bridge.accepted > 0);
  assert.equal(elsewhere.accepted, 0);
});
