import pg from 'pg';

export type Pool = pg.Pool;

export interface PoolOptions {
  readonly url: string;
  /** Seen in pg_stat_activity: the service's name. */
  readonly applicationName: string;
  /** Default 10. */
  readonly maxConnections?: number;
  /** The database gives up a statement after this long; default 5000. */
  readonly statementTimeoutMs?: number;
  /** Waiting for a free connection, or for the server; default 5000. */
  readonly connectTimeoutMs?: number;
  /** Told when an idle connection breaks; the pool replaces it by itself. */
  readonly onIdleError?: (error: Error) => void;
}

const INT8 = 20;

/**
 * A pool of connections under one role. Instants come back as `Date`, bigints as numbers (they are cents and
 * counts well below 2^53; a larger one throws instead of losing a digit).
 */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.maxConnections ?? 10,
    statement_timeout: options.statementTimeoutMs ?? 5_000,
    idle_in_transaction_session_timeout: 30_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? exactNumber : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // Without a listener a broken idle connection would end the process.
  pool.on('error', (error) => options.onIdleError?.(error));
  // One that breaks while it is checked out would too: its query fails and tells whoever waits for it, but the
  // driver emits the error as well.
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

function exactNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('bigint beyond 2^53');
  return value;
}
