import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { DispatchError, ERROR_CODES, type ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { createTasks } from './tasks.ts';
import type { WaitingRow } from './waiting.sql.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const FINAL: readonly ErrorCode[] = ['not_found', 'superseded', 'invalid_state', 'turn_ended'];

function grantEnding(exp: unknown): string {
  return `a.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c`;
}

function row(over: Partial<WaitingRow> = {}): WaitingRow {
  return {
    table: 'outbox',
    tenant_id: randomUUID(),
    id: randomUUID(),
    kind: 'message.deliver',
    ref_id: randomUUID(),
    queue: 'q',
    turn_grant: null,
    traceparent: null,
    attempts: 0,
    ...over,
  };
}

function start(refuse: () => Error | null = () => null) {
  const calls: [string, string, object, string][] = [];
  const peer = (name: string) => ({
    write: async (path: string, body: object, { idempotencyKey }: { idempotencyKey: string }) => {
      calls.push([name, path, body, idempotencyKey]);
      const error = refuse();
      if (error) throw error;
      return null;
    },
  });
  const peers = { gateway: peer('gateway'), agent: peer('agent'), dispatchApi: peer('dispatch-api') };
  return { calls, perform: createTasks(peers, () => NOW) };
}

test('each kind of row is one request, and a row tried again is the same request', async () => {
  verifies('R.1');
  const { calls, perform } = start();
  const turn_grant = grantEnding(NOW / 1000 + 60);
  const message = row();
  const turn = row({ kind: 'agent.wake', turn_grant });
  const timer = row({ table: 'timers', kind: 'approval.expire' });
  const missed = row({ table: 'timers', kind: 'visit.miss' });
  for (let tries = 0; tries < 2; tries += 1) {
    for (const one of [message, turn, timer, missed]) assert.deepEqual(await perform(one), { kind: 'done' });
  }
  assert.deepEqual(
    calls.slice(0, 4).map(([name, path, body]) => [name, path, body]),
    [
      ['gateway', '/v1/deliveries', { message_id: message.ref_id }],
      ['agent', '/v1/turns', { turn_id: turn.ref_id, turn_grant }],
      ['dispatch-api', `/v1/approvals/${timer.ref_id}/approval.expire`, {}],
      ['dispatch-api', `/v1/tickets/${missed.ref_id}/visit.miss`, {}],
    ],
  );
  assert.deepEqual(calls.slice(4), calls.slice(0, 4));
  assert.equal(new Set(calls.map(([, , , key]) => key)).size, 4);
});

test('a timer is the command it names and nothing else', async () => {
  verifies('C.8');
  const { perform, calls } = start();
  for (const kind of ['constructor', 'ticket.explode', 'autonomy.resume', '']) {
    const outcome = await perform(row({ table: 'timers', kind }));
    assert.deepEqual(outcome, { kind: 'retry', code: 'unavailable' }, kind);
  }
  assert.deepEqual(calls, []);
});

test('only what can never succeed is given up', async () => {
  verifies('C.6');
  for (const code of ERROR_CODES) {
    const { perform } = start(() => new DispatchError(code, { detail: 'maria' }));
    assert.deepEqual(await perform(row()), { kind: FINAL.includes(code) ? 'abandoned' : 'retry', code });
  }
  const { perform } = start(() => new TypeError('connect to maria failed'));
  assert.deepEqual(await perform(row()), { kind: 'retry', code: 'unavailable' });
});

test('a turn whose grant is over or cannot be read is not woken any more', async () => {
  const cases: [string | null, number][] = [
    [grantEnding(NOW / 1000 - 6), 0],
    [grantEnding(NOW / 1000 - 4), 1],
    [grantEnding('never'), 0],
    ['no grant', 0],
    ['a.!.c', 0],
    [null, 0],
  ];
  for (const [turn_grant, expected] of cases) {
    const { perform, calls } = start();
    const outcome = await perform(row({ kind: 'agent.wake', turn_grant }));
    assert.equal(calls.length, expected, String(turn_grant));
    if (expected === 0) assert.deepEqual(outcome, { kind: 'abandoned', code: 'turn_ended' });
  }
});
