import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_EDGES, COMMANDS, findCommand, ticketSources } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import { guardsAgainst } from '../../../test/mistakes.ts';
import { verifies } from '../../../test/requirements.ts';
import { assemble } from './assemble.ts';
import type { Changes } from './changes.ts';
import { decide } from './decide.ts';
import type { RuleContext } from './rule.ts';
import { IDS } from './testing/ids.ts';
import { type Cell, claimsOfPeople } from './testing/matrix-cells.ts';
import { callerOf, factsOf, requestOf } from './testing/matrix-facts.ts';
import { messageRow, ticketRow, visitRow } from './testing/rows.ts';
import { type Actor, cellOf } from './testing/scene.ts';
import { createTestTools } from './testing/tools.ts';

const tools = createTestTools();

function assembled(command: string, actor: Actor, changes: Changes) {
  const cell = cellOf(command, actor);
  const entry = findCommand(command);
  assert.ok(entry);
  const facts = factsOf(cell);
  const context: RuleContext = {
    entry,
    caller: callerOf(cell),
    facts,
    tools,
    again: () => assert.fail('nothing was suggested'),
    acting: { kind: 'person', role: 'dispatcher', membership: 'tenant' },
    targetId: IDS.ticket,
    input: {},
    now: Date.parse(facts.now),
    nowText: facts.now,
  };
  return assemble(context, { changes }, []);
}

function isDefect(change: () => unknown): void {
  assert.throws(change, (error) => error instanceof DispatchError && error.code === 'unavailable');
}

test('mistake 6: a rule that leaves the edge table is refused here, not by the database', () => {
  guardsAgainst(6);
  verifies('A.3d', 'T4.7');
  const next = (patch: Parameters<typeof ticketRow>[0]) => ({ ticket: ticketRow({ version: 8, ...patch }) });
  assert.doesNotThrow(() => assembled('ticket.ready', 'dispatcher', next({ state: 'READY_TO_SCHEDULE' })));
  isDefect(() => assembled('ticket.ready', 'dispatcher', next({ state: 'CLOSED' })));
  isDefect(() => assembled('ticket.ready', 'dispatcher', next({ state: 'READY_TO_SCHEDULE', version: 9 })));
  isDefect(() =>
    assembled('ticket.ready', 'dispatcher', {
      ...next({ state: 'READY_TO_SCHEDULE' }),
      visit: visitRow({ version: 4 }),
    }),
  );
});

test('a pause that forgets where it came from, and a resume that goes elsewhere, are refused', () => {
  verifies('A.3d');
  const ticket = (patch: Parameters<typeof ticketRow>[0]) => ({
    ticket: ticketRow({ version: 8, ...patch }),
  });
  assert.doesNotThrow(() =>
    assembled('ticket.hold', 'dispatcher', ticket({ state: 'ON_HOLD', resume_state: 'DISPATCHED' })),
  );
  isDefect(() => assembled('ticket.hold', 'dispatcher', ticket({ state: 'ON_HOLD', resume_state: null })));
  // The fixture was held in progress.
  assert.doesNotThrow(() => assembled('ticket.resume', 'dispatcher', ticket({ state: 'IN_PROGRESS' })));
  isDefect(() => assembled('ticket.resume', 'dispatcher', ticket({ state: 'ON_SITE' })));
});

test('a message for nobody is a defect', () => {
  verifies('C.0');
  const nobody = messageRow({ conversation_id: null, contact_id: null });
  isDefect(() => assembled('ticket.ready', 'dispatcher', { messages: [nobody] }));
});

const VERSIONED = [
  'ticket',
  'visit',
  'approval',
  'invoice',
  'evidence',
  'conversation',
  'suggestion',
  'account',
  'site',
  'asset',
  'contact',
  'technician',
  'act',
] as const;

function acceptedCells(): readonly Cell[] {
  return COMMANDS.flatMap(({ name }) => {
    const states =
      ticketSources(name).length === 0
        ? (['none', 'NEW', 'SCHEDULE_PROPOSED'] as const)
        : ticketSources(name);
    return states.flatMap((state) =>
      claimsOfPeople().map((claim) => ({
        ...cellOf(name, 'dispatcher'),
        ...claim,
        state,
        assurance: claim.service === 'identity' ? ('L2' as const) : ('L1' as const),
      })),
    );
  });
}

test('every accepted command accounts for each row it writes, and touches its ticket by exactly one version', () => {
  verifies('F.1', 'A.3d');
  const edges = new Set(ALL_EDGES.map((e) => `${e.object} ${e.command} ${e.from} ${e.to}`));
  const seen = new Set<string>();
  for (const cell of acceptedCells()) {
    const facts = factsOf(cell);
    const decision = decide(requestOf(cell), callerOf(cell), facts, tools);
    if (decision.kind !== 'accepted') continue;
    seen.add(cell.command);
    const { changes, event } = decision;
    const rows = [
      ...VERSIONED.map((kind) => [kind, changes[kind]] as const),
      ...(changes.memberships ?? []).map((row) => ['membership', row] as const),
      ['visit', changes.cancelled_visit] as const,
    ];
    const written = rows.flatMap(([kind, row]) => {
      return row === undefined ? [] : [`${kind} ${row.id} ${row.version} ${row.state}`];
    });
    const effects = event.effects.map((e) => `${e.object} ${e.id} ${e.version} ${e.after_state}`);
    assert.deepEqual([...effects].sort(), written.sort(), cell.command);
    for (const e of event.effects) {
      assert.ok(edges.has(`${e.object} ${cell.command} ${e.before_state} ${e.after_state}`));
    }
    const target = findCommand(cell.command)?.target;
    // A recall is another ticket, a text and an offer leave theirs alone, and who only asks changes nothing.
    const isBeside =
      ['ticket.reopen', 'message.send', 'visit.escalate'].includes(cell.command) ||
      (cell.command === 'ticket.cancel' && cell.role === 'requester');
    if ((target === 'ticket' || target === 'approval') && !isBeside) {
      assert.equal(changes.ticket?.version, (facts.ticket?.version ?? 0) + 1, cell.command);
    }
    assert.ok(event.policy_ids.length > 0);
    assert.equal(event.policy_bundle, tools.policy.bundleHash);
  }
  // Everything but the agents' own command and what needs a passkey is reached by people and services.
  const unseen = COMMANDS.map(({ name }) => name).filter((name) => !seen.has(name));
  assert.deepEqual(unseen.sort(), [
    'billing.void',
    'conversation.reply',
    'role.grant',
    'role.revoke',
    'service_account.register',
    'service_account.revoke',
    'service_account.rotate',
  ]);
});
