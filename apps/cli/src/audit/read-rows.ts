import type pg from 'pg';

/** Rows that are held at a time. */
const BATCH = 1_000;

/**
 * The rows of a query, a batch at a time: a trail of millions is never held as a whole.
 * @param client in a transaction of its own; one query at a time
 */
export async function* readRows<Row extends object>(
  client: pg.Client,
  query: string,
  values: readonly unknown[] = [],
): AsyncGenerator<Row> {
  await client.query(`declare rows no scroll cursor for ${query}`, [...values]);
  try {
    for (;;) {
      const { rows } = await client.query<Row>(`fetch ${BATCH} from rows`);
      yield* rows;
      if (rows.length < BATCH) return;
    }
  } finally {
    await client.query('close rows');
  }
}

/**
 * Runs `work` in one snapshot that changes nothing: events and rows of the same moment.
 * @returns what `work` answers, and the database's time of the snapshot in milliseconds since the epoch
 */
export async function inSnapshot<T>(client: pg.Client, work: (nowMs: number) => Promise<T>): Promise<T> {
  await client.query('begin isolation level repeatable read read only');
  try {
    const { rows } = await client.query<{ now: Date }>('select now()');
    return await work(rows[0]?.now.getTime() ?? Number.NaN);
  } finally {
    await client.query('rollback');
  }
}
