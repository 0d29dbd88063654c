import type pg from 'pg';
import type { Sql } from './sql.ts';

/** One transaction of one tenant. Row-level security shows and accepts that tenant's rows only. */
export interface Tx {
  /** All rows. */
  query<Row>(statement: Sql): Promise<Row[]>;
  /** The first row, or null when there is none. */
  one<Row>(statement: Sql): Promise<Row | null>;
  /** How many rows the statement changed. An update that matches nothing is no error: look at the number. */
  run(statement: Sql): Promise<number>;
}

/**
 * Runs `work` in one transaction as `tenantId` and commits it; anything thrown rolls back.
 * No network, hashing or waiting inside `work`.
 * @throws whatever `work` throws, or the driver's error (see `mapCommitError`)
 * @invariant the tenant is set for this transaction only; the connection returns to the pool without one (T4.6)
 */
export async function withTenant<Result>(
  pool: pg.Pool,
  tenantId: string,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    await client.query({
      name: 'set_tenant',
      text: "select set_config('deadlatch.tenant', $1, true)",
      values: [tenantId],
    });
    const result = await work(txOf(client));
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      broken = cause;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

function txOf(client: pg.PoolClient): Tx {
  const run = (statement: Sql) => client.query(statement.toQuery());
  return {
    query: async <Row>(statement: Sql) => (await run(statement)).rows as Row[],
    one: async <Row>(statement: Sql) => ((await run(statement)).rows[0] as Row | undefined) ?? null,
    run: async (statement) => (await run(statement)).rowCount ?? 0,
  };
}
