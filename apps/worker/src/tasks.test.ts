import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { DispatchError, ERROR_CODES, type ErrorCode } from '@deadlatch/kernel';
import type { JobHelpers } from 'graphile-worker';
import { verifies } from '../../../test/requirements.ts';
import { createTasks, type ReportAttempt } from './tasks.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const FINAL: readonly ErrorCode[] = ['not_found', 'superseded', 'invalid_state', 'turn_ended'];

function grantEnding(exp: unknown): string {
  return `a.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.c`;
}

function start(refuse: () => Error | null = () => null) {
  const calls: [string, string, object, string][] = [];
  const reports: Parameters<ReportAttempt>[0][] = [];
  const peer = (name: string) => ({
    write: async (path: string, body: object, { idempotencyKey }: { idempotencyKey: string }) => {
      calls.push([name, path, body, idempotencyKey]);
      const error = refuse();
      if (error) throw error;
      return null;
    },
  });
  const tasks = createTasks(
    { gateway: peer('gateway'), agent: peer('agent'), dispatchApi: peer('dispatch-api') },
    () => NOW,
    (attempt) => reports.push(attempt),
  );
  const job = { attempts: 3, key: randomUUID() };
  const perform = async (kind: string, payload: unknown) =>
    tasks[kind]?.(payload, { job } as unknown as JobHelpers);
  return { calls, reports, perform, job };
}

test('each kind of job is one request, and a job tried again is the same request', async () => {
  verifies('R.1');
  const { calls, perform } = start();
  const [message, turn, approval, timer] = [1, 2, 3, 4].map(() => randomUUID());
  const turn_grant = grantEnding(NOW / 1000 + 60);
  for (let tries = 0; tries < 2; tries += 1) {
    await perform('message.deliver', { ref_id: message });
    await perform('agent.wake', { ref_id: turn, data: { turn_grant } });
    await perform('timer', { timer_id: timer, target_id: approval, command: 'approval.expire' });
  }
  assert.deepEqual(
    calls.slice(0, 3).map(([name, path, body]) => [name, path, body]),
    [
      ['gateway', '/v1/deliveries', { message_id: message }],
      ['agent', '/v1/turns', { turn_id: turn, turn_grant }],
      ['dispatch-api', `/v1/approvals/${approval}/approval.expire`, {}],
    ],
  );
  assert.deepEqual(calls.slice(3), calls.slice(0, 3));
  assert.equal(new Set(calls.map(([, , , key]) => key)).size, 3);
});

test('only what can never succeed ends a job', async () => {
  verifies('C.6');
  for (const code of ERROR_CODES) {
    const { perform, reports, job } = start(() => new DispatchError(code, { detail: 'maria' }));
    const performed = perform('message.deliver', { ref_id: randomUUID() });
    if (FINAL.includes(code)) await performed;
    else await assert.rejects(performed, (error: Error) => error.message === code, code);
    assert.deepEqual(reports, [{ kind: 'message.deliver', code, outbox_id: job.key, attempts: 3 }]);
  }
  const { perform } = start(() => new TypeError('connect to maria failed'));
  await assert.rejects(perform('message.deliver', { ref_id: randomUUID() }), { message: 'unavailable' });
});

test('a turn whose grant is over is not woken any more', async () => {
  const cases: [string, number][] = [
    [grantEnding(NOW / 1000 - 6), 0],
    [grantEnding(NOW / 1000 - 4), 1],
    [grantEnding('never'), 1],
    ['no grant', 1],
  ];
  for (const [turn_grant, expected] of cases) {
    const { perform, calls } = start();
    await perform('agent.wake', { ref_id: randomUUID(), data: { turn_grant } });
    assert.equal(calls.length, expected, turn_grant);
  }
});

test('a job without its references is over', async () => {
  const { perform, calls, reports } = start();
  await perform('message.deliver', {});
  await perform('agent.wake', { ref_id: randomUUID() });
  await perform('agent.wake', { data: { turn_grant: grantEnding(NOW) } });
  await perform('timer', { timer_id: randomUUID(), target_id: '' });
  assert.deepEqual(calls, []);
  assert.deepEqual([...new Set(reports.map((report) => report.code))], ['not_found']);
});
