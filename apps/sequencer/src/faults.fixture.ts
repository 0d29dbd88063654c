import { randomBytes } from 'node:crypto';
import { spiffeId } from '@deadlatch/catalogue';
import { createServiceClient } from '@deadlatch/http';
import { createPool } from '@deadlatch/postgres';
import { loadSigningKey } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import { ENVIRONMENT } from '../../../test/support/signed-peer.ts';
import { type Leader, type LeadParts, startLeading } from './lead-log.ts';
import { type LogDatabase, logDatabase } from './log-database.ts';
import { SEQUENCER_LOG_EVENTS } from './log-events.ts';
import { logSigner, readLogTrust, type SignTree } from './log-trust.ts';
import type { LogWorld } from './sequencer.fixture.ts';
import { openTileFiles, type TileFiles } from './tile-files.ts';
import { createWitness, type Witness } from './witness.ts';

/** What a leader does to the world around it: every step after which it could be killed. */
export interface Steps {
  readonly files: TileFiles;
  readonly database: (connection: Parameters<LeadParts['database']>[0]) => LogDatabase;
  readonly witness: Witness;
  readonly sign: (sign: SignTree) => SignTree;
}

export interface BareLeader extends Leader {
  /** Log lines, as they were written. */
  readonly said: string[];
}

/** A leader without a process around it, over the real database, disk and witness, with some of its steps changed. */
export async function startBareLeader(
  world: LogWorld,
  change: (real: Steps) => Steps = (real) => real,
  heartbeatMs = 10_000,
): Promise<BareLeader> {
  const { keys, directory } = world;
  const pool = createPool({ url: world.db.urls.sequencer, applicationName: 'sequencer', maxConnections: 2 });
  const said: string[] = [];
  const client = createServiceClient({
    service: 'sequencer',
    key: () => keys.service('sequencer'),
    baseUrl: world.witness.url,
    audience: spiffeId(ENVIRONMENT, 'witness'),
    fetch: globalThis.fetch,
    now: Date.now,
    random: (n) => randomBytes(n),
    timeoutMs: 3_000,
  });
  const steps = change({
    files: openTileFiles(directory, () => randomBytes(12).toString('hex')),
    database: logDatabase,
    witness: createWitness(client),
    sign: (sign) => sign,
  });
  const readTrust = () => readLogTrust(() => keys.log.trust);
  const leader = startLeading({
    pool,
    ...steps,
    heartbeatMs,
    readTrust,
    readSigner: (trust) => steps.sign(logSigner(() => loadSigningKey(keys.log.logPem), trust)),
    logger: createLogger({
      service: 'sequencer',
      level: 'info',
      events: SEQUENCER_LOG_EVENTS,
      write: (line) => said.push(line),
    }),
  });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= leader.stop().then(() => pool.end());
    return stopped;
  };
  world.closing.push(stop);
  return { said, check: () => leader.check(), stop };
}
