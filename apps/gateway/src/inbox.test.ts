import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { type InboxItem, openInbox, statusItem } from './inbox.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const ITEM: InboxItem = {
  kind: 'receive',
  provider_id: `SM${'a'.repeat(32)}`,
  received_at: '2026-03-01T12:00:00.000Z',
  sealed: 'AAAA',
};

async function place(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'inbox-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

let scratch = 0;
const open = (directory: string, nowMs = NOW) =>
  openInbox({ directory, now: () => nowMs, scratchName: () => `s${scratch++}` });

test('an accepted item is on the disk, whole, and another process finds it', async (t) => {
  verifies('R.5');
  const directory = await place(t);
  assert.equal(await (await open(directory)).accept(ITEM), 'new');
  const later = await open(directory);
  assert.deepEqual(await later.names(), [ITEM.provider_id]);
  assert.deepEqual(await later.read(ITEM.provider_id), ITEM);
  assert.deepEqual(readdirSync(join(directory, 'scratch')), []);
});

test('the trace in which it came is kept with it; what is no trace is not, and loses no message', async (t) => {
  verifies('F.3', 'R.5');
  const directory = await place(t);
  const inbox = await open(directory);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await inbox.accept({ ...ITEM, traceparent });
  assert.deepEqual(await inbox.read(ITEM.provider_id), { ...ITEM, traceparent });
  for (const other of ['maria', `${traceparent}x`, 7, null, [traceparent]]) {
    writeFileSync(
      join(directory, 'waiting', ITEM.provider_id),
      JSON.stringify({ ...ITEM, traceparent: other }),
    );
    assert.deepEqual(await inbox.read(ITEM.provider_id), ITEM);
  }
});

test('the same event is one item: at once, while waiting, after use, while held, and after a restart', async (t) => {
  verifies('R.2');
  const directory = await place(t);
  const inbox = await open(directory);
  const answers = await Promise.all(Array.from({ length: 8 }, () => inbox.accept(ITEM)));
  assert.deepEqual(answers.sort(), ['known', 'known', 'known', 'known', 'known', 'known', 'known', 'new']);
  await inbox.finish(ITEM.provider_id);
  assert.equal(await inbox.accept(ITEM), 'known');
  assert.equal(await (await open(directory)).accept(ITEM), 'known');
  assert.deepEqual(await inbox.names(), []);

  const other = { ...ITEM, provider_id: `SM${'b'.repeat(32)}` };
  await inbox.accept(other);
  await inbox.hold(other.provider_id);
  assert.equal(await inbox.accept(other), 'known');
});

test('what was used leaves no content behind', async (t) => {
  const directory = await place(t);
  const inbox = await open(directory);
  await inbox.accept(ITEM);
  await inbox.finish(ITEM.provider_id);
  assert.equal(existsSync(join(directory, 'waiting', ITEM.provider_id)), false);
});

test('each status of a text is an event of its own', async (t) => {
  const inbox = await open(await place(t));
  assert.equal(await inbox.accept(statusItem(ITEM.provider_id, 'failed', NOW)), 'new');
  assert.equal(await inbox.accept(statusItem(ITEM.provider_id, 'delivered', NOW)), 'new');
  assert.equal(await inbox.accept(statusItem(ITEM.provider_id, 'delivered', NOW + 1)), 'known');
});

test('a crash while writing leaves a scratch file that was promised to nobody and is cleared', async (t) => {
  verifies('R.5');
  const directory = await place(t);
  await open(directory);
  writeFileSync(join(directory, 'scratch', 'half'), '{"kind":"rec');
  const inbox = await open(directory);
  assert.deepEqual(await inbox.names(), []);
  assert.deepEqual(readdirSync(join(directory, 'scratch')), []);
  assert.equal(await inbox.accept(ITEM), 'new');
});

test('a crash between mark and removal hands on once more and is then finished', async (t) => {
  verifies('R.1');
  const directory = await place(t);
  const inbox = await open(directory);
  await inbox.accept(ITEM);
  writeFileSync(join(directory, 'seen', ITEM.provider_id), '');
  const later = await open(directory);
  assert.deepEqual(await later.names(), [ITEM.provider_id]);
  await later.finish(ITEM.provider_id);
  assert.deepEqual(await later.names(), []);
});

test('a disk that does not take it is an outage, never a promise', async (t) => {
  verifies('C.6');
  const directory = await place(t);
  const inbox = await open(directory);
  rmSync(join(directory, 'scratch'), { recursive: true });
  writeFileSync(join(directory, 'scratch'), 'in the way');
  await assert.rejects(
    inbox.accept(ITEM),
    (error) => error instanceof DispatchError && error.code === 'unavailable',
  );
  assert.deepEqual(await inbox.names(), []);
});

test('files that accept did not write are refused when read', async (t) => {
  const directory = await place(t);
  const inbox = await open(directory);
  const other = { ...ITEM, provider_id: `SM${'b'.repeat(32)}` };
  const cases: Record<string, string> = {
    empty: '',
    half: '{"kind":"receive"',
    list: '[]',
    foreign: JSON.stringify(other),
    kind: JSON.stringify({ ...ITEM, kind: 'else' }),
    twice: `{"kind":"status",${JSON.stringify(ITEM).slice(1)}`,
  };
  for (const [name, content] of Object.entries(cases)) {
    writeFileSync(join(directory, 'waiting', name), content);
    await assert.rejects(
      inbox.read(name),
      (error) => error instanceof DispatchError && error.code === 'malformed_body',
      name,
    );
  }
  await assert.rejects(inbox.read('../seen/x'));
});

test('used events are forgotten after a month, held and waiting ones never', async (t) => {
  const directory = await place(t);
  await open(directory);
  for (const folder of ['seen', 'held', 'waiting']) {
    const path = join(directory, folder, 'old');
    writeFileSync(path, '');
    utimesSync(path, NOW / 1000 - 40 * 86_400, NOW / 1000 - 40 * 86_400);
  }
  await open(directory);
  assert.equal(existsSync(join(directory, 'seen', 'old')), false);
  assert.equal(existsSync(join(directory, 'held', 'old')), true);
  assert.equal(existsSync(join(directory, 'waiting', 'old')), true);
});
