import { createServer } from 'node:net';
import { join } from 'node:path';
import { ensureDatabase, startEmbeddedPostgres } from '@deadlatch/postgres';
import pg from 'pg';
import type { Operator } from '../operator.ts';
import { DATABASE_NAME } from '../up/database.ts';
import type { Installation } from '../up/installation.ts';
import type { Trust } from '../up/keys.ts';
import { lockStateDir, readDocument, stateDirAt } from '../up/state-dir.ts';

/**
 * Works on the database of an installation that is stopped: it runs for this alone, and nothing else with it.
 * @throws StartError when the installation runs, or its database does not start
 */
export async function asOfflineOperator<T>(
  stateDir: string,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const state = stateDirAt(stateDir);
  const trust = await readDocument<Trust>(join(state.keys, 'trust.json'));
  const { tenantId } = await readDocument<Installation>(state.installationFile);
  const lock = await lockStateDir(state);
  try {
    const server = await startEmbeddedPostgres({ directory: state.data, port: await freePort() });
    try {
      const connectionString = await ensureDatabase(server.adminUrl, DATABASE_NAME);
      const client = new pg.Client({ connectionString, application_name: 'deadlatch operator' });
      client.on('error', () => undefined);
      await client.connect();
      try {
        return await work({ client, trust, tenantId, state });
      } finally {
        await client.end();
      }
    } finally {
      await server.stop();
    }
  } finally {
    await lock.release();
  }
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === 'object' ? done(address.port) : failed()));
    });
  });
}
