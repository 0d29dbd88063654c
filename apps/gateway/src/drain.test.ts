import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { createLogger, createTracing } from '@deadlatch/telemetry';
import { verifies } from '../../../test/requirements.ts';
import { createDrain } from './drain.ts';
import { type InboxItem, openInbox } from './inbox.ts';
import { GATEWAY_LOG_EVENTS } from './log-events.ts';

const item = (digit: string, at = '00'): InboxItem => ({
  kind: 'receive',
  provider_id: `SM${digit.repeat(32)}`,
  received_at: `2026-03-01T12:00:${at}.000Z`,
  sealed: 'AAAA',
});

async function start(t: TestContext, handOver: (item: InboxItem) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), 'drain-'));
  let scratch = 0;
  const inbox = await openInbox({ directory, now: Date.now, scratchName: () => `s${scratch++}` });
  const logger = createLogger({
    service: 'gateway',
    level: 'silent',
    events: GATEWAY_LOG_EVENTS,
  });
  const tracing = createTracing({ random: randomBytes });
  const drain = createDrain({ inbox, handOver, now: Date.now, random: () => 0, logger, tracing });
  t.after(async () => {
    await drain.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { inbox, drain, directory };
}

/** Resolves once `isTrue`; the test runner's own time limit is the only clock. */
async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('waiting items are handed over oldest first, each once', async (t) => {
  const seen: string[] = [];
  const { inbox, drain } = await start(t, async (one) => {
    seen.push(one.provider_id.slice(2, 3));
  });
  for (const one of [item('c', '03'), item('a', '01'), item('b', '02')]) await inbox.accept(one);
  drain.wake();
  drain.wake();
  await until(async () => (await inbox.names()).length === 0);
  assert.deepEqual(seen, ['a', 'b', 'c']);
});

test('who need not wait is handed over as soon as the one under way is done, and once', async (t) => {
  verifies('R.6');
  const seen: string[] = [];
  const under = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { inbox, drain } = await start(t, async (one) => {
    seen.push(one.provider_id.slice(2, 3));
    if (seen.length > 1) return;
    under.resolve();
    await go.promise;
  });
  for (const one of [item('a', '01'), item('b', '02'), item('c', '03')]) await inbox.accept(one);
  assert.equal(inbox.waiting(), 3);
  drain.wake();
  await under.promise;
  const late = item('f', '09');
  await inbox.accept(late);
  drain.wake(late.provider_id);
  drain.wake(`SM${'0'.repeat(32)}`);
  go.resolve();
  await until(async () => (await inbox.names()).length === 0);
  assert.deepEqual(seen, ['a', 'f', 'b', 'c']);
  await until(() => inbox.waiting() === 0);
});

test('an outage keeps the item and it is handed over when the outage ends', async (t) => {
  verifies('R.5', 'C.6');
  let tries = 0;
  const { inbox, drain } = await start(t, async () => {
    tries += 1;
    if (tries < 3) throw new DispatchError('unavailable');
  });
  await inbox.accept(item('a'));
  drain.wake();
  await until(async () => (await inbox.names()).length === 0);
  assert.equal(tries, 3);
});

test('a refused key or an unexpected error is no reason to lose the item', async (t) => {
  const errors = [
    new DispatchError('unauthenticated'),
    new DispatchError('above_ceiling'),
    new TypeError('x'),
  ];
  const { inbox, drain } = await start(t, async () => {
    const error = errors.pop();
    if (error) throw error;
  });
  await inbox.accept(item('a'));
  drain.wake();
  await until(async () => (await inbox.names()).length === 0);
  assert.equal(errors.length, 0);
});

test('poison is held for a person and never stands before the others', async (t) => {
  const seen: string[] = [];
  const { inbox, drain, directory } = await start(t, async (one) => {
    if (one.provider_id === item('a').provider_id) throw new DispatchError('schema_mismatch');
    seen.push(one.provider_id.slice(2, 3));
  });
  writeFileSync(join(directory, 'waiting', 'garbage'), 'not json');
  await inbox.accept(item('a', '01'));
  await inbox.accept(item('b', '02'));
  drain.wake();
  await until(async () => (await inbox.names()).length === 0);
  assert.deepEqual(seen, ['b']);
  assert.deepEqual(readdirSync(join(directory, 'held')).sort(), [item('a').provider_id, 'garbage'].sort());
});

test('an item that keeps failing does not keep a new one waiting', async (t) => {
  const seen: string[] = [];
  const { inbox, drain } = await start(t, async (one) => {
    if (one.provider_id === item('a').provider_id) throw new DispatchError('unavailable');
    seen.push(one.provider_id.slice(2, 3));
  });
  await inbox.accept(item('a', '01'));
  drain.wake();
  await inbox.accept(item('b', '02'));
  drain.wake();
  await until(() => seen.length === 1);
  // What was handed over leaves the inbox a moment later.
  await until(async () => (await inbox.names()).length === 1);
  assert.deepEqual(await inbox.names(), [item('a').provider_id]);
});
