import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { cosign, parseNote, signCheckpoint, verifyCheckpoint } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { startBareLeader } from './faults.fixture.ts';
import { readLogTrust } from './log-trust.ts';
import { isReady, type LogWorld, readStored, said, startLogWorld } from './sequencer.fixture.ts';
import type { Answer } from './witness.fixture.ts';

const away = (): never => {
  throw new Error('away');
};
const text = (status: number, body: string): Answer => ({ status, type: 'text/plain', text: body });

/** The time of the published cosignature, seconds. */
function cosignedAt(world: LogWorld): number {
  const { logKey, policy } = readLogTrust(() => world.keys.log.trust);
  const note = readFileSync(join(world.directory, 'checkpoint'));
  return verifyCheckpoint(note, logKey, policy).cosignatures[0]?.timeS ?? 0;
}

/** While the witness answers so, events get their places and nothing is published; afterwards all is. */
async function assertSequencesMeanwhile(
  world: LogWorld,
  reason: string,
  behave: (own: Answer) => Answer | Promise<Answer>,
): Promise<void> {
  const { behave: ordinary } = world.witness;
  await world.addEvents(20);
  const sequencer = await world.start();
  await until(() => world.publishedSize() === 20);
  world.witness.behave = behave;
  await world.addEvents(300);
  await until(async () => (await world.count('unsequenced')) === 0);
  await until(() => said(sequencer).includes(`log.waits_for_witness ${reason}`));
  await world.addEvents(5);
  await until(async () => (await world.count('unsequenced')) === 0);
  assert.equal(await isReady(sequencer.url), true);
  assert.equal(world.publishedSize(), 20);
  assert.ok(readStored(world.directory, 'tile/entries/000'), 'tiles are written all the same');
  const { rows } = await world.admin.query('select witnessed_size from audit.log_head');
  assert.equal(rows[0].witnessed_size, 20);
  world.witness.behave = ordinary;
  await world.assertWholeLog();
  assert.deepEqual(
    said(sequencer).filter((line) => line.startsWith('log.halted')),
    [],
  );
  await sequencer.close();
}

describe('while the witness', () => {
  it('is away, the log goes on, and is published when it is back', async (t) => {
    verifies('R.6', 'F.4');
    await assertSequencesMeanwhile(await startLogWorld(t), 'unreachable', away);
  });

  it('answers in its own time, nothing waits for it', async (t) => {
    verifies('R.6');
    const world = await startLogWorld(t);
    await assertSequencesMeanwhile(world, 'unreachable', async (own) => {
      await sleep(3_500);
      return own;
    });
  });

  for (const [status, reason] of [
    [400, 'malformed'],
    [403, 'signature_refused'],
    [404, 'unknown_log'],
    [409, 'conflict'],
    [422, 'proof_refused'],
    [500, 'other'],
    [503, 'withheld'],
  ] as const) {
    it(`answers ${status}, the log goes on and nothing is published`, async (t) => {
      verifies('R.6', 'F.4');
      const world = await startLogWorld(t);
      // Of 409: a size nobody signed is no proof of anything.
      await assertSequencesMeanwhile(world, reason, (own) =>
        own.type === 'application/json' ? own : text(status, '999999\n'),
      );
    });
  }

  it('sends no cosignature, or one of another key, another text or another time, nothing is published', async (t) => {
    verifies('F.4');
    const world = await startLogWorld(t);
    const { witness } = world.keys.log;
    const { policy } = readLogTrust(() => world.keys.log.trust);
    const name = policy.witnesses[0]?.name ?? '';
    const now = Math.floor(Date.now() / 1000);
    const stranger = loadSigningKey(generateSigningKeyPem());
    const answers = [
      '',
      cosign('demo.deadlatch/audit\n1\nAAAA\n', now, name, witness),
      cosign('demo.deadlatch/audit\n1\nAAAA\n', now, name, stranger),
      `\u2014 ${name} ${Buffer.alloc(76).toString('base64')}\n`,
      'not a signature line\n',
      '\n\n',
      'x'.repeat(200_000),
    ];
    let n = 0;
    await assertSequencesMeanwhile(world, 'cosignature_wrong', (own) => {
      if (own.type === 'application/json') return own;
      n += 1;
      return text(200, answers[n % answers.length] ?? '');
    });
  });

  it('shows a note that this log did not sign, it has no say', async (t) => {
    verifies('F.4');
    const world = await startLogWorld(t);
    const stranger = loadSigningKey(generateSigningKeyPem());
    const origin = world.keys.log.trust.log.origin;
    const forged = signCheckpoint({ origin, size: 1_000_000, root: Buffer.alloc(32, 7) }, stranger);
    let isForging = true;
    const { behave } = world.witness;
    world.witness.behave = (own) =>
      own.type === 'application/json' && isForging
        ? { ...own, text: JSON.stringify({ note: forged, size: 1_000_000, alarms: [] }) }
        : own;
    await world.addEvents(10);
    const sequencer = await world.start();
    await until(() => said(sequencer).includes('log.waits_for_witness unreachable'));
    await until(async () => (await world.count('unsequenced')) === 0);
    assert.equal(await isReady(sequencer.url), true);
    isForging = false;
    await world.assertWholeLog();
    world.witness.behave = behave;
    await sequencer.close();
  });
});

it('shows another tree of ours with our own signature, the log stops before it signs', async (t) => {
  verifies('F.4', 'F.8');
  const world = await startLogWorld(t);
  await world.addEvents(10);
  const before = await world.start();
  await until(() => world.publishedSize() === 10);
  await before.close();
  const { log } = world.keys.log;
  const origin = world.keys.log.trust.log.origin;
  world.witness.know(signCheckpoint({ origin, size: 7, root: Buffer.alloc(32, 7) }, log));
  const signed = world.witness.signed.length;
  await world.addEvents(1);
  const sequencer = await world.start();
  await until(() => said(sequencer).includes('log.halted root_differs'));
  assert.equal(await isReady(sequencer.url), false);
  assert.equal(world.witness.signed.length, signed);
  assert.equal(world.publishedSize(), 10);
  await sequencer.close();
});

it('catches up from whatever size the witness has seen: less than was published, or nothing at all', async (t) => {
  verifies('F.4');
  const world = await startLogWorld(t);
  await world.addEvents(40);
  const sequencer = await world.start();
  await until(() => world.publishedSize() === 40);
  const early = readFileSync(join(world.directory, 'checkpoint'), 'utf8');
  await world.addEvents(400);
  await world.assertWholeLog();
  // Another witness machine, on which an older state was put back.
  world.witness.know(early);
  await world.addEvents(4);
  await world.assertWholeLog();
  world.witness.know(undefined);
  await world.addEvents(4);
  await world.assertWholeLog();
  assert.equal(world.witness.newest()?.size, 448);
  await sequencer.close();
});

it('has the same checkpoint cosigned again when nothing is new, so that its time shows life', async (t) => {
  verifies('F.4');
  const world = await startLogWorld(t);
  await world.addEvents(3);
  const leader = await startBareLeader(world, (real) => real, 1_000);
  await until(() => world.publishedSize() === 3);
  const [first, signed] = [cosignedAt(world), world.witness.signed.length];
  await until(() => cosignedAt(world) >= first + 2);
  const texts = new Set(world.witness.signed.slice(signed).map((one) => one.text));
  assert.equal(texts.size, 1);
  const note = readFileSync(join(world.directory, 'checkpoint'));
  const { rows } = await world.admin.query('select witnessed_note, witnessed_size from audit.log_head');
  assert.equal(rows[0].witnessed_size, 3);
  assert.equal(parseNote(rows[0].witnessed_note).text, parseNote(note).text);
  await leader.stop();
});

it('asks for nothing and signs nothing while there are no events', async (t) => {
  const world = await startLogWorld(t);
  const sequencer = await world.start();
  await until(() => isReady(sequencer.url));
  await sleep(500);
  assert.equal(world.witness.signed.length, 0);
  assert.deepEqual(said(sequencer), ['log.opened']);
  await sequencer.close();
});
