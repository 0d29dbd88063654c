import type { Pool } from '@deadlatch/postgres';

/** An event that has no index yet. */
export interface WaitingEvent {
  readonly tenantId: string;
  readonly eventId: string;
  /** the bytes as they are stored, which are hashed */
  readonly body: Uint8Array;
}

/** An event that has one. */
export interface LoggedEvent {
  readonly index: number;
  readonly leafHash: Uint8Array;
  readonly body: Uint8Array;
}

/** How far the log is, as the database says. */
export interface LogHead {
  readonly origin: string | null;
  readonly size: number;
  /** null while the log is empty */
  readonly root: Uint8Array | null;
  readonly epoch: number;
  readonly witnessedNote: Uint8Array | null;
  readonly witnessedSize: number;
}

/** Events that get the next indexes, in their order. */
export interface Append {
  readonly epoch: number;
  /** index of the first */
  readonly first: number;
  readonly events: readonly WaitingEvent[];
  readonly leafHashes: readonly Uint8Array[];
  /** of the tree that ends with the last of them */
  readonly root: Uint8Array;
}

/** The log's tables, on the one connection that holds the writer's lock. Every method throws the driver's errors. */
export interface LogDatabase {
  readHead(): Promise<LogHead>;
  /** Raises the epoch, unless the head has moved since it was read. @returns ours, or `undefined` */
  takeOver(head: LogHead, origin: string): Promise<number | undefined>;
  /** The next events by (time, id) among those that wait; as many as one batch holds. */
  nextBatch(): Promise<readonly WaitingEvent[]>;
  /** In one transaction. Refused with constraint `log_writer_superseded` when the epoch is not ours any more. */
  append(append: Append): Promise<void>;
  /** Some entries from `from` on, at least one unless the database has none there. */
  readEntries(from: number): Promise<readonly LoggedEvent[]>;
  /** Whether this epoch is still the writer's. */
  isWriter(epoch: number): Promise<boolean>;
  /** Keeps the newest cosigned checkpoint. @returns false when the epoch is not ours any more */
  keepWitnessed(epoch: number, size: number, note: string): Promise<boolean>;
}

/** What one batch holds at most: a limit of the memory and of the longest transaction, not of the rate. */
export const BATCH_EVENTS = 4_096;
const BATCH_BYTES = 4_000_000;

/** Whether more may wait behind this batch. */
export function isFull(batch: readonly WaitingEvent[]): boolean {
  const bytes = batch.reduce((sum, { body }) => sum + body.byteLength, 0);
  return batch.length >= BATCH_EVENTS || bytes >= BATCH_BYTES;
}

/** What is read again at once when the log is opened: two full bundles, 33 MB should all events be of the longest. */
const PAGE_ENTRIES = 512;

type Connection = Pick<Pool, 'query'>;

/** @param connection the one that holds the lock: with it the writer loses all of this */
export function logDatabase(connection: Connection): LogDatabase {
  return {
    async readHead() {
      const { rows } = await connection.query<{
        origin: string | null;
        size: number;
        root: Buffer | null;
        epoch: number;
        witnessed_note: Buffer | null;
        witnessed_size: number;
      }>('select origin, size, root, epoch, witnessed_note, witnessed_size from audit.log_head');
      const [row] = rows;
      if (row === undefined) throw new RangeError('log_head has no row');
      const { witnessed_note: witnessedNote, witnessed_size: witnessedSize, ...rest } = row;
      return { ...rest, witnessedNote, witnessedSize };
    },
    async takeOver({ epoch, size }, origin) {
      const { rows } = await connection.query<{ epoch: number }>(
        `update audit.log_head set epoch = epoch + 1, origin = coalesce(origin, $3)
          where epoch = $1 and size = $2 returning epoch`,
        [epoch, size, origin],
      );
      return rows[0]?.epoch;
    },
    async nextBatch() {
      const { rows } = await connection.query<{
        place: number;
        tenant_id: string;
        event_id: string;
        body: string;
      }>({ name: 'next_batch', text: NEXT_BATCH, values: [BATCH_EVENTS, BATCH_BYTES] });
      return rows
        .sort((a, b) => a.place - b.place)
        .map((row) => ({ tenantId: row.tenant_id, eventId: row.event_id, body: bytesOf(row.body) }));
    },
    async append({ epoch, first, events, leafHashes, root }) {
      await connection.query({
        name: 'append_entries',
        text: 'select audit.append_entries($1, $2, $3::uuid[], $4::uuid[], $5, $6)',
        values: [
          epoch,
          first,
          arrayOf(events.map((event) => event.tenantId)),
          arrayOf(events.map((event) => event.eventId)),
          Buffer.concat(leafHashes),
          root,
        ],
      });
    },
    async readEntries(from) {
      const { rows } = await connection.query<{ index: number; leaf_hash: Buffer; body: string }>({
        name: 'read_entries',
        text: READ_ENTRIES,
        values: [from, PAGE_ENTRIES],
      });
      return rows
        .sort((a, b) => a.index - b.index)
        .map((row) => ({ index: row.index, leafHash: row.leaf_hash, body: bytesOf(row.body) }));
    },
    async isWriter(epoch) {
      const { rows } = await connection.query('select from audit.log_head where epoch = $1', [epoch]);
      return rows.length === 1;
    },
    async keepWitnessed(epoch, size, note) {
      const { rowCount } = await connection.query(
        `update audit.log_head set witnessed_note = $3, witnessed_size = $2
          where epoch = $1 and witnessed_size <= $2 and size >= $2`,
        [epoch, size, Buffer.from(note)],
      );
      return rowCount === 1;
    },
  };
}

/**
 * The bytes of a body that came as text. The database holds valid UTF-8 alone, so they are the same; as the driver's
 * hexadecimal they would be twice as long on their way, and its binary form is read as UTF-8 all the same.
 */
const bytesOf = (body: string) => Buffer.from(body, 'utf8');

/** An array of UUIDs as the server reads it; the driver would look at each for what needs quoting. */
const arrayOf = (ids: readonly string[]) => `{${ids.join(',')}}`;

/**
 * The body of each row of `from` by its key: with `offset 0` no plan reads the whole table for that, and no body is
 * sorted, which would go through the disk.
 */
const withBody = (from: string) => `
  ${from} cross join lateral (
    select convert_from(e.body, 'UTF8') as body from audit.events e
     where e.tenant_id = f.tenant_id and e.id = f.event_id offset 0
  ) e`;

// The time is the one at which the event's transaction began, which only the database writes. The first is taken
// however long it is.
const NEXT_BATCH = `
  with waiting as materialized (
    select u.tenant_id, u.event_id, u.bytes, (row_number() over log)::integer as place,
           sum(u.bytes) over (log rows unbounded preceding) as total
      from audit.unsequenced u window log as (order by u.at, u.event_id, u.tenant_id)
     order by u.at, u.event_id, u.tenant_id limit $1
  )
  select f.place, f.tenant_id, f.event_id, e.body from ${withBody('waiting f')}
   where f.total - f.bytes < $2`;

const READ_ENTRIES = `
  with page as materialized (
    select l.index, l.leaf_hash, l.tenant_id, l.event_id from audit.log_entries l
     where l.index >= $1 order by l.index limit $2
  )
  select f.index, f.leaf_hash, e.body from ${withBody('page f')}`;

/** What answers about the log need; on connections of their own, so that a reader never waits for the writer. */
export interface LogReader {
  /** The lowest index of each leaf that is among the first `size`; by leaf hash in base64url. */
  findLeaves(leafHashes: readonly Uint8Array[], size: number): Promise<ReadonlyMap<string, number>>;
  /** When the oldest event began that is not among the first `size` entries. */
  oldestAfter(size: number): Promise<Date | null>;
  /** How many entries the log has. */
  size(): Promise<number>;
}

export function logReader(pool: Connection): LogReader {
  return {
    async findLeaves(leafHashes, size) {
      const { rows } = await pool.query<{ leaf_hash: Buffer; index: number }>(
        `select leaf_hash, min(index) as index from audit.log_entries
          where leaf_hash = any($1) and index < $2 group by leaf_hash`,
        [leafHashes, size],
      );
      return new Map(rows.map((row) => [row.leaf_hash.toString('base64url'), row.index]));
    },
    async oldestAfter(size) {
      const { rows } = await pool.query<{ at: Date | null }>(
        `select min(at) as at from (
           select min(u.at) as at from audit.unsequenced u
           union all
           select min(e.at) from audit.log_entries l
             join audit.events e on e.tenant_id = l.tenant_id and e.id = l.event_id where l.index >= $1
         ) w`,
        [size],
      );
      return rows[0]?.at ?? null;
    },
    async size() {
      const { rows } = await pool.query<{ size: number }>('select size from audit.log_head');
      return rows[0]?.size ?? 0;
    },
  };
}
