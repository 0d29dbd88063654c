import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cosign, emptyRoot, formatCheckpoint, leafHash, signCheckpoint } from '@deadlatch/audit-log';
import { createHttpServer } from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import { verifies } from '../../../test/requirements.ts';
import { makeLogKeys } from '../../../test/support/log-trust.ts';
import { createLogWatch, type LogState, type LogWatch } from './log-watch.ts';
import { refuseWhileBehind } from './refuse-while-behind.ts';

const keys = makeLogKeys('demo');
const { origin } = keys.trust.log;
const NOW = Date.UTC(2026, 2, 1, 12);
const MINUTE = 60_000;

interface NoteOptions {
  /** of the cosignature; null: there is none */
  readonly at?: number | null;
  readonly log?: typeof keys.log;
  readonly witness?: typeof keys.witness;
  readonly origin?: string;
}

/** A checkpoint of so many entries, signed and cosigned by those keys unless told otherwise. */
function noteOf(size: number, options: NoteOptions = {}): string {
  const { at = NOW, log = keys.log, witness = keys.witness } = options;
  const root = size === 0 ? emptyRoot() : leafHash(Buffer.from(`tree ${size}`));
  const checkpoint = { origin: options.origin ?? origin, size, root };
  const line =
    at === null
      ? ''
      : cosign(formatCheckpoint(checkpoint), Math.floor(at / 1000), 'demo.deadlatch/witness', witness);
  return signCheckpoint(checkpoint, log) + line;
}

/** A watch over a database and a witness that say what they are told; a look is taken by hand. */
function setUp() {
  const lines: string[] = [];
  const world: { state: LogState | null; shown: string | null; isWitnessUp: boolean; steady: number } = {
    state: { size: 0, note: null, nowMs: NOW, oldestWaitingMs: null },
    shown: null,
    isWitnessUp: true,
    steady: 1_000,
  };
  const make = () =>
    createLogWatch({
      readState: async () => world.state ?? Promise.reject(new Error('no database')),
      readWitness: async () =>
        world.isWitnessUp ? { note: world.shown, size: 7, alarms: [] } : Promise.reject(new Error('away')),
      trust: () => ({ log: keys.trust.log, witnesses: keys.trust.witnesses }),
      steady: () => world.steady,
      logger: createLogger({ service: 'vault', level: 'debug', write: (line) => lines.push(line) }),
    });
  const look = async (watch: LogWatch) => {
    await watch.start();
    await watch.stop();
  };
  const says = (changes: Partial<LogState>) => {
    world.state = { size: 10, note: null, nowMs: NOW, oldestWaitingMs: null, ...changes };
  };
  return { world, make, look, says, lines };
}

const isBehind = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unavailable' && error.detail === 'restored_backup';

describe('timely', () => {
  it('is a log that a witness saw within the deadline, by whoever of the two shows it', async () => {
    verifies('R.6');
    for (const isKept of [true, false]) {
      const { world, make, look, says } = setUp();
      const watch = make();
      assert.equal(watch.isTimely(), false, 'before the first look');
      const note = noteOf(10, { at: NOW - MINUTE });
      world.shown = isKept ? null : note;
      says({ note: isKept ? Buffer.from(note) : null });
      await look(watch);
      assert.equal(watch.isTimely(), true);
      world.steady += 1;
      assert.equal(watch.isTimely(), false, 'a minute is over');
    }
  });

  it('ends with a look that is too old, and with a database that cannot be read', async () => {
    const { world, make, look, says } = setUp();
    const watch = make();
    says({ note: Buffer.from(noteOf(10)) });
    await look(watch);
    world.state = null;
    world.steady += 9_000;
    await look(watch);
    assert.equal(watch.isTimely(), true);
    world.steady += 2_000;
    assert.equal(watch.isTimely(), false);
    says({ note: Buffer.from(noteOf(10)) });
    await look(watch);
    assert.equal(watch.isTimely(), true);
    // A clock that is never set cannot step back; one that does proves nothing.
    world.steady -= 5_000;
    assert.equal(watch.isTimely(), false);
  });

  it('is no log that leaves an event waiting for longer', async () => {
    verifies('R.6');
    const { world, make, look, says } = setUp();
    const watch = make();
    for (const [oldestWaitingMs, expected] of [
      [NOW - MINUTE, true],
      [NOW - MINUTE - 1, false],
      [NOW + MINUTE, true],
      [Number.NaN, false],
    ] as const) {
      world.steady = 1_000;
      says({ note: Buffer.from(noteOf(10)), oldestWaitingMs });
      await look(watch);
      assert.equal(watch.isTimely(), expected, String(oldestWaitingMs));
    }
  });

  it('is no log of which nobody saw anything, but for one that has not begun', async () => {
    const { world, make, look, says } = setUp();
    const watch = make();
    says({ size: 0 });
    await look(watch);
    assert.equal(watch.isTimely(), true);
    says({ size: 1 });
    await look(watch);
    assert.equal(watch.isTimely(), false);
    world.isWitnessUp = false;
    says({ size: 0 });
    await look(watch);
    assert.equal(watch.isTimely(), true);
    says({ size: 0, oldestWaitingMs: NOW - 2 * MINUTE });
    await look(watch);
    assert.equal(watch.isTimely(), false);
  });

  const stranger = loadSigningKey(generateSigningKeyPem());
  const FORGED: Readonly<Record<string, string>> = {
    'nobody cosigned': noteOf(10, { at: null }),
    'a stranger cosigned': noteOf(10, { witness: stranger }),
    'a stranger signed': noteOf(10, { log: stranger }),
    'the log cosigned itself': noteOf(10, { witness: keys.log }),
    'another log signed': noteOf(10, { origin: 'other.deadlatch/audit' }),
    'was cosigned in an hour from now': noteOf(10, { at: NOW + 60 * MINUTE }),
    'is none': 'note',
  };
  for (const [name, note] of Object.entries(FORGED)) {
    it(`is no log whose checkpoint ${name}`, async () => {
      verifies('R.6');
      const { world, make, look, says } = setUp();
      const watch = make();
      world.shown = note;
      says({ note: Buffer.from(note) });
      await look(watch);
      assert.equal(watch.isTimely(), false);
      says({ note: Buffer.from(noteOf(10)) });
      await look(watch);
      assert.equal(watch.isTimely(), true, 'what is genuine counts beside it');
    });
  }

  it('is judged by the clock of the database, and no clock that was wrong for a while leaves anything behind', async () => {
    const { make, look, says } = setUp();
    const watch = make();
    // The clock of both was an hour ahead, and is right again.
    says({ nowMs: NOW + 60 * MINUTE, note: Buffer.from(noteOf(10, { at: NOW + 60 * MINUTE })) });
    await look(watch);
    assert.equal(watch.isTimely(), true);
    says({ nowMs: NOW, note: Buffer.from(noteOf(10, { at: NOW + 60 * MINUTE })) });
    await look(watch);
    assert.equal(watch.isTimely(), false);
    says({ nowMs: NOW, note: Buffer.from(noteOf(10, { at: NOW })) });
    await look(watch);
    assert.equal(watch.isTimely(), true);
  });

  it('says once why it is not, and once that it is again', async () => {
    const { make, look, says, lines } = setUp();
    const watch = make();
    says({});
    await look(watch);
    await look(watch);
    says({ note: Buffer.from(noteOf(10)) });
    await look(watch);
    const said = lines.map((line) => JSON.parse(line)).map(({ event, reason }) => [event, reason]);
    assert.deepEqual(said, [
      ['log.late', 'never_witnessed'],
      ['log.timely', undefined],
    ]);
  });
});

describe('a database behind what was seen', () => {
  it('serves nothing from the moment on that the size is known, and again when it has it', async () => {
    verifies('F.8');
    const { world, make, look, says, lines } = setUp();
    const watch = make();
    says({ size: 10, note: Buffer.from(noteOf(10)) });
    await look(watch);
    watch.assertServing();
    assert.equal(watch.seenSize(), 10);
    says({ size: 9, note: Buffer.from(noteOf(9)) });
    // A command does not wait for the next look.
    assert.throws(() => watch.assertCurrent(9, watch.seenSize()), isBehind);
    await look(watch);
    assert.throws(() => watch.assertServing(), isBehind);
    assert.equal(watch.isTimely(), false);
    assert.ok(lines.some((line) => line.includes('log.restored_backup')));
    world.isWitnessUp = false;
    says({ size: 10, note: Buffer.from(noteOf(10)) });
    await look(watch);
    watch.assertServing();
    assert.equal(watch.isTimely(), true);
  });

  it('is known after a restart from the witness alone, and not before it is asked', async () => {
    verifies('F.8');
    const { world, make, look, says } = setUp();
    const watch = make();
    world.isWitnessUp = false;
    says({ size: 6, note: Buffer.from(noteOf(6, { at: NOW - 10 * MINUTE })) });
    await look(watch);
    watch.assertServing();
    assert.equal(watch.isTimely(), false, 'and until then no act of authority');
    world.isWitnessUp = true;
    world.shown = noteOf(10, { at: NOW });
    await look(watch);
    assert.throws(() => watch.assertServing(), isBehind);
  });

  it('is known also from what the witness saw and did not cosign, and not from what a stranger signed', async () => {
    const { world, make, look, says } = setUp();
    const watch = make();
    const stranger = loadSigningKey(generateSigningKeyPem());
    world.shown = noteOf(1_000, { log: stranger });
    says({ size: 10, note: Buffer.from(noteOf(10)) });
    await look(watch);
    watch.assertServing();
    world.shown = noteOf(11, { at: null });
    await look(watch);
    assert.throws(() => watch.assertServing(), isBehind);
  });

  it('is not one whose next read is under way, or fails, while the log grows', async () => {
    const { world, make, look, says, lines } = setUp();
    const watch = make();
    world.shown = noteOf(10);
    says({ size: 10 });
    await look(watch);
    world.shown = noteOf(12);
    says({ size: 12 });
    const looking = look(watch);
    for (const moment of ['before the witness answers', 'before the database answers', 'at its end']) {
      watch.assertServing();
      assert.equal(watch.isTimely(), true, moment);
      await Promise.resolve();
    }
    await looking;
    world.shown = noteOf(14);
    world.state = null;
    await look(watch);
    watch.assertServing();
    assert.equal(watch.isTimely(), true);
    assert.equal(watch.seenSize(), 14);
    assert.deepEqual(lines, []);
  });

  it('is known although the database cannot be read at that moment', async () => {
    const { world, make, look, says } = setUp();
    const watch = make();
    world.state = null;
    world.shown = noteOf(10);
    await look(watch);
    says({ size: 9 });
    assert.throws(() => watch.assertCurrent(9, watch.seenSize()), isBehind);
    await look(watch);
    assert.throws(() => watch.assertServing(), isBehind);
  });

  it('is not a log that grew while a command was under way', async () => {
    const { make, look, says } = setUp();
    const watch = make();
    says({ size: 10, note: Buffer.from(noteOf(10)) });
    await look(watch);
    const before = watch.seenSize();
    says({ size: 12, note: Buffer.from(noteOf(12)) });
    await look(watch);
    watch.assertCurrent(11, before);
    assert.throws(() => watch.assertCurrent(11, watch.seenSize()), isBehind);
    assert.throws(() => watch.assertCurrent(Number.NaN, before), isBehind);
    assert.throws(() => watch.assertCurrent(undefined as never, 0), isBehind);
  });
});

describe('routes', () => {
  it('answer nothing from a database that is behind, but how the process is', async () => {
    verifies('F.8');
    const { make, look, says } = setUp();
    const watch = make();
    const app = createHttpServer({
      service: 'vault',
      logger: createLogger({ service: 'vault', level: 'silent' }),
      bodyLimitBytes: 1_024,
      ready: async () => watch.assertServing(),
    });
    refuseWhileBehind(app, watch);
    app.get('/v1/numbers', async () => ({ numbers: [] }));
    const ask = async (url: string) => {
      const { statusCode, body } = await app.inject({ url, headers: { host: 'vault' } });
      return [statusCode, JSON.parse(body).reason ?? null];
    };
    says({ note: Buffer.from(noteOf(10)) });
    await look(watch);
    assert.deepEqual(await ask('/v1/numbers'), [200, null]);
    assert.deepEqual(await ask('/readyz'), [200, null]);
    says({ size: 9 });
    await look(watch);
    assert.deepEqual(await ask('/v1/numbers'), [503, 'restored_backup']);
    assert.deepEqual(await ask('/readyz'), [503, 'restored_backup']);
    assert.deepEqual(await ask('/livez'), [200, null]);
    await app.close();
  });
});
