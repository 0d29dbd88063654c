import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { randomPicture } from '../../../test/support/pictures.ts';
import { createDecoder, type Decoded } from './decode-in-child.ts';
import { DECODER_MAIN, decoderCommand } from './decoder-command.ts';

const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));
const LIMITS = { timeMs: 15_000, atOnce: 2, waiting: 4 };

const decode = createDecoder(decoderCommand(WORKSPACE, [DECODER_MAIN]), LIMITS);

/** Stands where the decoder is after a picture has taken it over: any program at all. */
const takenOver = (program: string, limits = LIMITS) =>
  createDecoder(decoderCommand(WORKSPACE, ['-e', program]), limits);
const READS_ALL = 'const done = (then) => process.stdin.on("data", () => {}).on("end", then);';
const SAYS = (text: string) => `require("fs").writeSync(3, ${JSON.stringify(text)});`;

const body = (bytes: Buffer) => Readable.from([bytes], { objectMode: false });
const reasonOf = (decoded: Decoded) => (decoded.kind === 'unusable' ? decoded.reason : decoded.kind);

describe('the program of one picture', () => {
  test('gives back a picture, its size and its hash', async () => {
    const decoded = await decode('image/png', body(randomPicture(60, 40)));
    if (decoded.kind !== 'picture') throw new Error(decoded.reason);
    const bytes = Buffer.concat(await decoded.bytes.toArray());
    assert.equal(bytes.length, decoded.sizeBytes);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), decoded.sha256);
    assert.equal(reasonOf(await decode('image/jpeg', body(randomPicture()))), 'type_differs');
    assert.equal(reasonOf(await decode('image/png', body(randomPicture().subarray(0, 60)))), 'not_whole');
  });

  test('is killed when it takes too long, and the next picture has its turn', async () => {
    verifies('R.6', 'C.0');
    const hangs = takenOver(`${READS_ALL} done(() => { for (;;); });`, {
      timeMs: 400,
      atOnce: 1,
      waiting: 4,
    });
    const all = await Promise.all([1, 2].map(() => hangs('image/png', body(randomPicture()))));
    assert.deepEqual(all.map(reasonOf), ['too_slow', 'too_slow']);
  });

  test('that dies, runs out of memory, or says something else costs its own picture', async () => {
    verifies('R.6', 'C.0');
    const hash = 'a'.repeat(64);
    const programs = [
      `${READS_ALL} done(() => process.kill(process.pid, "SIGSEGV"));`,
      `${READS_ALL} done(() => process.exit(0));`,
      // Whatever it is given, it cannot have two gigabytes.
      `${READS_ALL} done(() => { const all = []; for (let i = 0; i < 40; i++) all.push(Buffer.alloc(5e7, 1)); ${SAYS('unusable animated\n')} });`,
      ...[
        'unusable\n',
        'unusable because_i_say_so\n',
        'unusable animated',
        'unusable animated\nunusable animated\n',
        `picture 0 ${hash}\n`,
        `picture 99999999 ${hash}\n`,
        `picture 10 ${hash.toUpperCase()}\n`,
        `picture 10 ${hash}\nand more`,
        'x'.repeat(10_000),
      ].map((text) => `${READS_ALL} done(() => { ${SAYS(text)} });`),
    ];
    for (const program of programs) {
      assert.equal(
        reasonOf(await takenOver(program)('image/png', body(randomPicture()))),
        'decoder_failed',
        program,
      );
    }
    const early = takenOver('process.exit(1)');
    assert.equal(reasonOf(await early('image/png', body(Buffer.alloc(5_000_000)))), 'decoder_failed');
    assert.equal((await decode('image/png', body(randomPicture()))).kind, 'picture');
  });

  test('reads no file but our code, starts nothing, and is told nothing', async () => {
    verifies('T4.2');
    const home = readdirSync('/').map((name) => `/${name}`);
    const program = `${READS_ALL} done(() => {
      const tried = [];
      const attempt = (what) => { try { what(); tried.push(String(what)); } catch {} };
      for (const path of ${JSON.stringify([...home, '/etc/passwd', `${WORKSPACE}sql`, `${WORKSPACE}apps/dispatch-api`])}) {
        attempt(() => require("fs").statSync(path) && require("fs").readdirSync(path));
      }
      attempt(() => require("fs").writeFileSync("${WORKSPACE}apps/imager/x", ""));
      attempt(() => { if (require("child_process").spawnSync("/bin/true").error) throw 0; });
      attempt(() => new (require("worker_threads").Worker)("1", { eval: true }));
      const told = Object.keys(process.env).filter((name) => !["UV_THREADPOOL_SIZE", "MALLOC_ARENA_MAX", "PWD", "_", "OLDPWD", "SHLVL"].includes(name));
      ${'require("fs").writeSync(3, tried.length + told.length === 0 ? "unusable animated\\n" : "x");'}
    });`;
    assert.equal(reasonOf(await takenOver(program)('image/png', body(randomPicture()))), 'animated');
  });

  test('ends when the sender goes away, and nothing is said of the picture', async () => {
    const half = new PassThrough();
    half.write(randomPicture().subarray(0, 50));
    const asked = decode('image/png', half);
    half.destroy(new Error('the sender went away'));
    await assert.rejects(asked, (error: DispatchError) => error.code === 'unavailable');
  });

  test('waits for its turn, and too many that wait are refused', async () => {
    verifies('R.6');
    const slow = takenOver(
      `${READS_ALL} done(() => setTimeout(() => { ${SAYS('unusable animated\n')} }, 300));`,
      {
        timeMs: 15_000,
        atOnce: 1,
        waiting: 1,
      },
    );
    const results = await Promise.allSettled([1, 2, 3].map(() => slow('image/png', body(randomPicture()))));
    const outcomes = results.map((r) => (r.status === 'fulfilled' ? reasonOf(r.value) : r.reason.code));
    assert.deepEqual(outcomes, ['animated', 'animated', 'unavailable']);
  });

  test('has no turn for whoever left while waiting for it', async () => {
    verifies('R.6');
    const program = `${READS_ALL} done(() => setTimeout(() => { ${SAYS('unusable animated\n')} }, 300));`;
    const slow = takenOver(program, { timeMs: 15_000, atOnce: 1, waiting: 4 });
    const first = slow('image/png', body(randomPicture()));
    const left = new PassThrough();
    left.on('error', () => undefined);
    const asked = slow('image/png', left);
    left.destroy(new Error('the sender went away'));
    const last = slow('image/png', body(randomPicture()));
    await assert.rejects(asked, (error: DispatchError) => error.code === 'unavailable');
    assert.deepEqual([reasonOf(await first), reasonOf(await last)], ['animated', 'animated']);
  });
});
