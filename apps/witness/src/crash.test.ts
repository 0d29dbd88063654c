import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noteKey } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { freePort, until } from '../../../test/support/signed-peer.ts';
import { createCosigner } from './cosigner.ts';
import type { Script } from './dying-witness.fixture.ts';
import { openLedger } from './ledger.ts';
import { openHead } from './stored-head.ts';
import {
  bodyOf,
  createWorld,
  handOver,
  look,
  nextSecond,
  ORIGIN,
  promised,
  scriptedLog,
  submit,
  type World,
} from './witness.fixture.ts';

const DYING = fileURLToPath(new URL('./dying-witness.fixture.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const events = (n: number, word: string) => Array.from({ length: n }, (_, i) => Buffer.from(`${word} ${i}`));

/** A log of nine events and a fork of it, receipts, and what a witness does with them. */
function story() {
  const [logPem, witnessPem] = [generateSigningKeyPem(), generateSigningKeyPem()];
  const key = loadSigningKey(logPem);
  const [log, fork] = [scriptedLog(key), scriptedLog(key)];
  log.append(...events(9, 'event'));
  fork.append(...events(3, 'event'), ...events(6, 'other'));
  const grant = loadSigningKey(generateSigningKeyPem());
  const receipts = ['A', 'B', 'C'].map((letter) => {
    const { id } = promised(grant);
    return { leafHash: letter.repeat(43), eventId: id, time: '2026-03-01T12:00:00.000Z' };
  });
  const [first, second, third] = receipts;
  assert.ok(first && second && third);
  const deeds: Script['deeds'] = [
    { submit: log.submission(0, 5) },
    { take: first },
    { take: second },
    { submit: log.submission(5, 7) },
    { settle: first },
    { submit: log.submission(7) },
    { raise: second },
    { take: third },
    { submit: log.submission(9) },
  ];
  return { logPem, witnessPem, key, log, fork, receipts, deeds };
}

type Story = ReturnType<typeof story>;

/** Runs it until it dies; answers what it has promised. */
async function runUntil(t: TestContext, dieAt: number, { logPem, witnessPem, deeds }: Story) {
  const root = await mkdtemp(join(tmpdir(), 'deadlatch-dying-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const directory = join(root, 'witness');
  await mkdir(directory);
  const script: Script = { directory, dieAt, origin: ORIGIN, logPem, witnessPem, deeds };
  await writeFile(join(root, 'script.json'), JSON.stringify(script));
  const { stdout, signal, status, stderr } = spawnSync(process.execPath, [DYING, join(root, 'script.json')], {
    encoding: 'utf8',
  });
  assert.equal(signal, dieAt === 0 ? null : 'SIGKILL', stderr);
  if (dieAt === 0) assert.equal(status, 0, stderr);
  const said = stdout.split('\n').map((line) => line.split(' '));
  const of = (word: string) => said.filter(([first]) => first === word).map(([, value]) => value ?? '');
  return { directory, of };
}

/** Everything that was promised is there after the next start, and nothing that contradicts it is accepted. */
async function assertKept(
  { key, witnessPem, log, fork, receipts }: Story,
  { directory, of }: Awaited<ReturnType<typeof runUntil>>,
): Promise<void> {
  const [now, steady] = [Date.now, () => performance.now()];
  const ledger = await openLedger({ directory, now, steady });
  const stored = await openHead(directory, ORIGIN);
  const cosigned = Math.max(0, ...of('cosigned').map(Number));
  const { known } = stored.atStart;
  assert.ok((known?.size ?? 0) >= cosigned, `${known?.size} after ${cosigned} was cosigned`);
  const pending = new Set(ledger.pending().map(({ eventId }) => eventId));
  const alarms = ledger.alarms().map(({ eventId }) => eventId);
  for (const id of of('took')) {
    const [settled] = receipts;
    if (id !== settled?.eventId) assert.ok(pending.has(id), 'a receipt was forgotten');
  }
  for (const id of of('settled')) assert.ok(!pending.has(id), 'what was settled waits again');
  for (const id of of('alarm')) assert.ok(alarms.includes(id), 'an alarm was forgotten');

  const next = createCosigner({
    logKey: noteKey('log', ORIGIN, key.publicKey),
    name: 'witness',
    key: loadSigningKey(witnessPem),
    stored,
    ledger,
    now,
    steady,
    logger: { event: () => undefined },
    grown: () => undefined,
  });
  const size = known?.size ?? 0;
  if (size > 3) {
    const lies = [
      bodyOf(size, [], fork.note(size)),
      bodyOf(0, [], fork.note(9)),
      bodyOf(0, [], fork.note(3)),
    ];
    for (const lie of lies) assert.notEqual((await next.submit(Buffer.from(lie))).kind, 'cosigned');
  } else {
    assert.equal(
      (await next.submit(Buffer.from(log.submission(size)))).kind,
      alarms.length > 0 ? 'withheld' : 'cosigned',
    );
  }
  await ledger.close();
}

test('killed between any two steps, it has kept all that it said', async (t) => {
  verifies('R.1', 'F.4', 'F.5');
  const told = story();
  const whole = await runUntil(t, 0, told);
  const steps = Number(whole.of('steps')[0]);
  await assertKept(told, whole);
  assert.deepEqual(whole.of('cosigned'), ['5', '7', '9'], 'and nothing after the alarm');
  for (let dieAt = 1; dieAt <= steps; dieAt += 1) await assertKept(told, await runUntil(t, dieAt, told));
  t.diagnostic(`${steps} steps`);
  assert.ok(steps > 30);
});

/** The real program on the world's folder, as the supervisor starts it but for the port. */
async function spawnWitness(t: TestContext, world: World): Promise<{ child: ChildProcess; url: string }> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    env: { ...world.env, DEADLATCH_PORT: String(port), DEADLATCH_MTLS: 'mesh' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await until(() =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await nextSecond();
  return { child, url };
}

test('killed under load, it never cosigns two histories, and asks for every receipt that it took', async (t) => {
  verifies('R.1', 'F.5');
  const world = await createWorld(t);
  const { keys, log, sequencer } = world;
  // While it dies and comes back, the log says that something still waits: on a busy machine a life may be longer than
  // the log has for merging, and nothing is cosigned beside an alarm.
  const since = new Date().toISOString();
  sequencer.answer = (call) => log.proofs(call, since);
  const promisedIds = new Set<string>();
  let newest = 0;
  /** A log that begins anew is refused, whatever it says that the witness knows. */
  const refusesAnother = async (url: string) => {
    const { size } = await look(url, keys);
    assert.ok(size >= newest, `${size} after ${newest} was cosigned`);
    const rewritten = scriptedLog(keys.log.log);
    rewritten.append(...events(size + 1, 'rewritten'));
    for (const older of [0, 1, size - 1, size + 1]) {
      const proof = older > 0 && older <= size ? rewritten.consistency(older) : [];
      assert.notEqual((await submit(url, keys, bodyOf(older, proof, rewritten.note()))).status, 200);
    }
  };
  for (let kill = 0; kill < 3; kill += 1) {
    const { child, url } = await spawnWitness(t, world);
    if (kill > 0) await refusesAnother(url);
    const gone = once(child, 'exit');
    const oneOfEach = async () => {
      log.append(Buffer.from(randomUUID()));
      const { size } = await look(url, keys);
      if ((await submit(url, keys, log.submission(size))).status === 200) newest = log.size();
      const left = promised(keys.grant);
      if (typeof (await handOver(url, keys, [left.token])) === 'object') promisedIds.add(left.id);
    };
    const load = (async () => {
      // On a busy machine a signature may be over before it arrives: that one is refused, the next is tried.
      while (child.exitCode === null && child.signalCode === null) await oneOfEach().catch(() => undefined);
    })();
    const before = newest;
    await until(() => newest > before + 3 + kill);
    child.kill('SIGKILL');
    await gone;
    await load;
  }
  const last = await world.start();
  await refusesAnother(last.url);
  // What the log took as the witness died was handed in by nobody, and while it waits, younger promises may wait too.
  const { size } = await look(last.url, keys);
  assert.equal((await submit(last.url, keys, log.submission(size))).status, 200);
  sequencer.answer = (call) => log.proofs(call);
  world.clock.steady += 6_000;
  await until(async () => {
    const { alarms } = await look(last.url, keys);
    return alarms.length >= Math.min(promisedIds.size, 100);
  });
  const { alarms } = await look(last.url, keys);
  for (const id of promisedIds)
    assert.ok(
      alarms.some(({ event_id }) => event_id === id),
      'nobody asked for it',
    );
});

test('asleep for longer than the deadline, it comes back by itself, and accuses nobody of its own sleep', async (t) => {
  verifies('R.1');
  const world = await createWorld(t);
  const { keys, log } = world;
  const { child, url } = await spawnWitness(t, world);
  log.append(...events(3, 'event'));
  await submit(url, keys, log.submission(0));
  const merged = promised(keys.grant);
  await handOver(url, keys, [merged.token]);
  child.kill('SIGSTOP');
  log.append(merged.event);
  const waiting = submit(url, keys, log.submission(3));
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  child.kill('SIGCONT');
  assert.equal((await waiting).status, 200, 'what was sent meanwhile is answered');
  await until(async () => (await look(url, keys)).size === 4);
  assert.deepEqual((await look(url, keys)).alarms, []);
  assert.equal((await submit(url, keys, log.submission(4))).status, 200);
});
