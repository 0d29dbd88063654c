import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogFile, parseTilePath, TILE_WIDTH } from '@deadlatch/audit-log';
import { verifies } from '../../../test/requirements.ts';
import { until } from '../../../test/support/signed-peer.ts';
import { type Steps, startBareLeader } from './faults.fixture.ts';
import { type LogWorld, startLogWorld } from './sequencer.fixture.ts';

/** Every step that leaves something behind, or that something depends on. */
const STEPS = [
  'readHead',
  'takeOver',
  'nextBatch',
  'append',
  'store',
  'latest',
  'isWriter',
  'sign',
  'add',
  'keepWitnessed',
  'writeCheckpoint',
] as const;
type Step = (typeof STEPS)[number];

/** `before`: the step never happened. `after`: it did, and nobody heard of it. `half`: some of its files are there. */
type Moment = 'before' | 'after' | 'half';

/**
 * A process that dies at one moment of one step: that step throws, and so does everything it would do afterwards.
 * @param turn which time the step is reached, counted from one
 */
function dyingAt(
  step: Step,
  moment: Moment,
  turn: number,
): { change(real: Steps): Steps; isDead(): boolean } {
  let left = turn;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new Error('died');
  };
  const run = async <T>(name: Step, work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    if (isDead) return die();
    if (name !== step) return await work();
    left -= 1;
    if (left !== 0) return await work();
    if (moment === 'after') await work();
    if (moment === 'half') await half?.();
    return die();
  };
  return {
    isDead: () => isDead,
    change: ({ files, database, witness }) => ({
      files: {
        ...files,
        store: (some) =>
          run(
            'store',
            () => files.store(some),
            () => files.store(some.slice(0, Math.ceil(some.length / 2))),
          ),
        writeCheckpoint: (note) => run('writeCheckpoint', () => files.writeCheckpoint(note)),
      },
      database: (connection) => {
        const real = database(connection);
        return {
          ...real,
          readHead: () => run('readHead', () => real.readHead()),
          takeOver: (head, origin) => run('takeOver', () => real.takeOver(head, origin)),
          nextBatch: () => run('nextBatch', () => real.nextBatch()),
          append: (one) => run('append', () => real.append(one)),
          isWriter: (epoch) => run('isWriter', () => real.isWriter(epoch)),
          keepWitnessed: (epoch, size, note) =>
            run('keepWitnessed', () => real.keepWitnessed(epoch, size, note)),
        };
      },
      witness: {
        latest: (key) => run('latest', () => witness.latest(key)),
        add: (older, proof, note) => run('add', () => witness.add(older, proof, note)),
      },
      sign: (real) => (size, root) => {
        if (isDead) return die();
        if (step !== 'sign') return real(size, root);
        left -= 1;
        return left === 0 ? die() : real(size, root);
      },
    }),
  };
}

/** Lets a leader die there while events come in, then lets another one go on. */
async function survive(world: LogWorld, step: Step, moment: Moment, turn: number): Promise<void> {
  const fault = dyingAt(step, moment, turn);
  await world.addEvents(290);
  const doomed = await startBareLeader(world, fault.change);
  await until(async () => {
    if (!fault.isDead()) await world.addEvents(7);
    return fault.isDead();
  });
  await doomed.stop();
  const next = await startBareLeader(world);
  await world.assertWholeLog();
  assert.deepEqual(
    next.said.filter((line) => line.includes('log.halted')),
    [],
  );
  await next.stop();
}

describe('a sequencer that dies', () => {
  for (const step of STEPS) {
    it(`before, in and after "${step}" loses, doubles and forks nothing`, async (t) => {
      verifies('R.1', 'F.4');
      const world = await startLogWorld(t);
      // `latest` is asked at the start, where nothing is at stake yet, and before the first signature.
      const turn = step === 'latest' ? 2 : 1;
      await survive(world, step, 'before', turn);
      if (step !== 'sign') await survive(world, step, 'after', turn);
      if (step === 'store') await survive(world, step, 'half', 1);
      // Once it was well under way.
      if (!['readHead', 'takeOver', 'latest'].includes(step)) await survive(world, step, 'before', 3);
    });
  }
});

it('commits before it stores, stores before it signs, and publishes what was cosigned last of all', async (t) => {
  verifies('R.1', 'F.4');
  const world = await startLogWorld(t);
  let [committed, stored, signed] = [0, 0, 0];
  const sizes: number[] = [];
  const assertThat = (isTrue: boolean, what: string) => {
    if (!isTrue) failures.push(what);
  };
  const failures: string[] = [];
  const leader = await startBareLeader(world, (real) => ({
    files: {
      ...real.files,
      store: async (some) => {
        sizes.push(widestOf(some));
        assertThat(widestOf(some) <= committed, 'a tile of what was not committed');
        await real.files.store(some);
        stored = Math.max(stored, widestOf(some));
      },
      writeCheckpoint: async (note) => {
        const { rows } = await world.admin.query('select witnessed_size as size from audit.log_head');
        assertThat(rows[0].size === signed, 'a file that the database does not know of');
        await real.files.writeCheckpoint(note);
      },
    },
    database: (connection) => {
      const database = real.database(connection);
      return {
        ...database,
        append: async (one) => {
          await database.append(one);
          committed = one.first + one.events.length;
        },
      };
    },
    witness: real.witness,
    sign: (sign) => (size, root) => {
      assertThat(size <= stored, 'a signature of what is not on the disk');
      signed = size;
      return sign(size, root);
    },
  }));
  for (let n = 0; n < 12; n += 1) {
    await world.addEvents(1 + n * 40);
    await sleep(60);
  }
  await world.assertWholeLog();
  await leader.stop();
  assert.deepEqual(failures, []);
  assert.ok(sizes.length > 3);
});

/** How many entries the widest of these lowest tiles makes the log have. */
function widestOf(files: readonly LogFile[]): number {
  const ends = files.map(({ path }) => {
    const { level, index, width } = parseTilePath(path);
    return level === 0 ? index * TILE_WIDTH + width : 0;
  });
  return Math.max(...ends);
}

describe('a writer that lost the lock without noticing', () => {
  /** Holds a step back until it is let go. */
  function gate() {
    const reached = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    const pass = async () => {
      reached.resolve();
      await open.promise;
    };
    return { reached: reached.promise, open: () => open.resolve(), pass };
  }

  /** Statements on a connection of their own, which outlives the one that holds the lock. */
  const onItsOwn = (world: LogWorld, real: Steps): Steps => ({
    ...real,
    database: () => real.database(world.sequencerPool()),
  });

  const loseLock = (world: LogWorld) =>
    world.admin.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database())`,
    );

  it('commits nothing', async (t) => {
    verifies('R.1', 'F.4');
    const world = await startLogWorld(t);
    await world.addEvents(5);
    const held = gate();
    const outcomes: string[] = [];
    const stale = await startBareLeader(world, (real) => {
      const own = onItsOwn(world, real);
      return {
        ...own,
        database: (connection) => {
          const database = own.database(connection);
          return {
            ...database,
            append: async (one) => {
              await held.pass();
              await database.append(one).then(
                () => outcomes.push('committed'),
                (error: { constraint?: string }) => outcomes.push(error.constraint ?? 'failed'),
              );
              throw new Error('over');
            },
          };
        },
      };
    });
    await held.reached;
    await loseLock(world);
    const successor = await startBareLeader(world);
    await world.addEvents(20);
    await world.assertWholeLog();
    held.open();
    await until(() => outcomes.length > 0);
    assert.equal(outcomes[0], 'log_writer_superseded');
    await stale.stop();
    await world.addEvents(3);
    await world.assertWholeLog();
    await successor.stop();
  });

  it('signs nothing, and publishes nothing that it had cosigned', async (t) => {
    verifies('R.1', 'F.4');
    const world = await startLogWorld(t);
    await world.addEvents(5);
    const [beforeSigning, beforeKeeping] = [gate(), gate()];
    let signatures = 0;
    const kept: boolean[] = [];
    const doomed = (held: ReturnType<typeof gate>, where: 'isWriter' | 'keepWitnessed') =>
      startBareLeader(world, (real) => {
        const own = onItsOwn(world, real);
        return {
          ...own,
          sign: (sign) => (size, root) => {
            signatures += 1;
            return sign(size, root);
          },
          database: (connection) => {
            const database = own.database(connection);
            return {
              ...database,
              isWriter: async (epoch) => {
                if (where === 'isWriter') await held.pass();
                return await database.isWriter(epoch);
              },
              keepWitnessed: async (epoch, size, note) => {
                if (where === 'keepWitnessed') await held.pass();
                kept.push(await database.keepWitnessed(epoch, size, note));
                return kept.at(-1) ?? false;
              },
            };
          },
        };
      });
    const first = await doomed(beforeSigning, 'isWriter');
    await beforeSigning.reached;
    await loseLock(world);
    const second = await doomed(beforeKeeping, 'keepWitnessed');
    await beforeKeeping.reached;
    assert.equal(signatures, 1);
    await loseLock(world);
    // It publishes what the second had cosigned: only the epoch tells the two apart.
    const successor = await startBareLeader(world);
    await world.assertWholeLog();
    beforeSigning.open();
    beforeKeeping.open();
    await Promise.all([first.stop(), second.stop()]);
    assert.equal(signatures, 1, 'the first woke up and did not sign');
    assert.deepEqual(kept, [false], 'the second woke up and did not publish');
    await world.addEvents(20);
    await world.assertWholeLog();
    await successor.stop();
  });
});
