import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { UnreachableError } from './arguments.ts';
import { readRunFile } from './run-file.ts';
import type { Trust } from './up/keys.ts';
import { type StateDir, stateDirAt } from './up/state-dir.ts';

/** What the operator can look at with the state directory in hand: the whole database and the public keys. */
export interface Operator {
  readonly client: pg.Client;
  readonly trust: Trust;
  readonly tenantId: string;
  readonly state: StateDir;
}

/**
 * Connects as the administrator, reads, and disconnects.
 * @throws UnreachableError when nothing runs there or its database does not answer
 */
export async function asOperator<T>(stateDir: string, work: (operator: Operator) => Promise<T>): Promise<T> {
  const state = stateDirAt(stateDir);
  const run = await readRunFile(stateDir);
  const trust = JSON.parse(await readFile(join(state.keys, 'trust.json'), 'utf8')) as Trust;
  const password = (await readFile(join(state.data, 'admin-password'), 'utf8')).trim();
  const client = new pg.Client({
    connectionString: `postgres://postgres:${password}@127.0.0.1:${run.postgres.port}/deadlatch`,
    application_name: 'deadlatch operator',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    throw new UnreachableError(`The database of ${state.root} does not answer.`, { cause });
  }
  try {
    return await work({ client, trust, tenantId: run.tenant_id, state });
  } finally {
    await client.end();
  }
}
