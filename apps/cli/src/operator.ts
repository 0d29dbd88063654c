import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { StartError } from './arguments.ts';
import type { Trust } from './up/keys.ts';
import { stateDirAt } from './up/state-dir.ts';

/** What the operator can look at with the state directory in hand: the whole database and the public keys. */
export interface Operator {
  readonly client: pg.Client;
  readonly trust: Trust;
  readonly tenantId: string;
}

/** Connects as the administrator, reads, and disconnects. @throws StartError when nothing runs there */
export async function asOperator<T>(stateDir: string, work: (operator: Operator) => Promise<T>): Promise<T> {
  const state = stateDirAt(stateDir);
  const read = (path: string) =>
    readFile(path, 'utf8').catch(() => {
      throw new StartError(`Nothing runs in ${state.root}. Start it with npm start.`);
    });
  const run = JSON.parse(await read(state.runFile)) as { postgres: { port: number }; tenant_id: string };
  const password = (await read(join(state.data, 'admin-password'))).trim();
  const trust = JSON.parse(await read(join(state.keys, 'trust.json'))) as Trust;
  const client = new pg.Client({
    connectionString: `postgres://postgres:${password}@127.0.0.1:${run.postgres.port}/deadlatch`,
    application_name: 'deadlatch operator',
  });
  await client.connect();
  try {
    return await work({ client, trust, tenantId: run.tenant_id });
  } finally {
    await client.end();
  }
}
