import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { verifies } from '../../requirements.ts';
import { until } from '../../scenario/browser.ts';
import { isServiceReady } from '../survival/casualties.ts';
import { type Crew, work } from '../survival/load.ts';
import { type Installation, OPEN_TICKET, startAtWork } from './installation.fixture.ts';

const run = promisify(execFile);
/** A new database needs about 60 MB, and as much again for its log of changes; tiles that are not full yet, 100 MB. */
const DATABASE_DISK = '200m';
const LOG_DISK = '128m';
const STANDS_MS = 4_000;
const CHUNK = Buffer.alloc(65_536, 1);
const GRAIN = Buffer.alloc(512, 1);

/** Disks of their own for the database and for the log, which only the system sees, and which end with it. */
const onSmallDisks = (stateDir: string): string[] => {
  const { data, log } = stateDirAt(stateDir);
  const script = `chmod 711 "$1" && mkdir -p "$2" "$3" \
    && mount -t tmpfs -o size=${DATABASE_DISK},mode=711 none "$2" \
    && mount -t tmpfs -o size=${LOG_DISK},mode=700 none "$3" && shift 3 && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', stateDir, data, log];
};

/** Mounting takes more rights than most have; another user's PostgreSQL could not use a disk of a user namespace. */
async function whyNoDisks(): Promise<string | false> {
  try {
    await run('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']);
    return false;
  } catch {
    return 'this machine lets us mount no disk that could be filled';
  }
}

const skip = await whyNoDisks();
let it: Installation<Crew>;

describe('a full disk', { concurrency: false, skip }, () => {
  before(async () => {
    it = await startAtWork({ within: onSmallDisks });
  });
  after(async () => it?.close());

  test('under PostgreSQL: commands are refused, nothing is half done, and it goes on when there is room', async (t) => {
    verifies('C.6', 'R.1', 'T4.7');
    const disk = fill(stateDirAt(it.stateDir).data);
    let refused = 0;
    await it.during(work, async () => {
      await it.untilAccepted();
      await disk.full();
      try {
        // What fits into pages that are there may still be done, and counts.
        await until(
          'commands to be refused',
          async () => {
            const answer = await it.attempt(...OPEN_TICKET(it.run));
            refused = answer.ok ? 0 : refused + 1;
            if (!answer.ok) assert.equal(answer.code, 'unavailable');
            await disk.full();
            return refused >= 20 ? true : undefined;
          },
          60_000,
        );
      } finally {
        await disk.empty();
      }
      await it.untilAccepted();
    });
    t.diagnostic(`${refused} refused in a row`);
    await it.settle();
  });

  test('under the log: commands go on, nothing is signed that is not on the disk, and the log catches up', async (t) => {
    verifies('F.4', 'R.1', 'R.6');
    const disk = fill(stateDirAt(it.stateDir).log);
    let waiting = 0;
    await it.during(work, async () => {
      await disk.full();
      try {
        await until(
          'the log to stand',
          async () => {
            await disk.full();
            return (await isServiceReady(it.run, 'sequencer')) ? undefined : true;
          },
          60_000,
        );
        const { witnessed } = await logSizes();
        await sleep(STANDS_MS);
        await it.untilAccepted();
        const after = await logSizes();
        assert.equal(
          after.witnessed,
          witnessed,
          'nothing is cosigned of which the tiles are not on the disk',
        );
        waiting = after.events - witnessed;
      } finally {
        await disk.empty();
      }
    });
    assert.ok(waiting > 10, `${waiting} events waited`);
    t.diagnostic(`${waiting} events waited`);
    await it.settle();
  });
});

async function logSizes(): Promise<{ readonly events: number; readonly witnessed: number }> {
  return it.asOperator(async ({ client }) => {
    const { rows } = await client.query<{ events: number; witnessed: number }>(
      `select (select count(*)::int from audit.events) as events, witnessed_size::int as witnessed
         from audit.log_head`,
    );
    return rows[0] ?? { events: Number.NaN, witnessed: Number.NaN };
  });
}

/** Something else that takes all the room of the disk under this folder. */
function fill(folder: string) {
  const ballast = join(folder, 'ballast');
  return {
    /** Takes what is left, to the last bytes. */
    async full(): Promise<void> {
      for (const piece of [CHUNK, GRAIN]) {
        try {
          for (;;) await appendFile(ballast, piece);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    empty: () => rm(ballast, { force: true }),
  };
}
