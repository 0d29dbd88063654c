import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { logOrigin, noteKey } from '@deadlatch/audit-log';
import type { DecisionTools } from '@deadlatch/decision';
import { createPool, type Pool, sql, withTenant } from '@deadlatch/postgres';
import { canonicalJson } from '@deadlatch/signing';
import { BATCH_EVENTS, logDatabase } from '../../apps/sequencer/src/log-database.ts';
import { openLog } from '../../apps/sequencer/src/open-log.ts';
import { sequenceEvents } from '../../apps/sequencer/src/sequence-events.ts';
import { openTileFiles } from '../../apps/sequencer/src/tile-files.ts';
import { newId } from '../../test/support/commits.ts';
import { ENVIRONMENT } from './command.ts';
import type { Place } from './place.ts';
import { median } from './report.ts';
import { premadeCommits } from './road.ts';

const ROUNDS = 3;
/** Some seconds of work: eight full batches. */
const EVENTS = 8 * BATCH_EVENTS;

/**
 * Events of `part.record` as they are stored, from waiting to being in the tree and on the disk: the sequencer's own
 * loop under its role, without a witness. Beside it what the database alone needs for giving them their indexes.
 */
export async function measureSequencing(place: Place, tools: DecisionTools, directory: string) {
  await mkdir(directory, { recursive: true });
  const pool = createPool({
    url: place.sequencerUrl,
    applicationName: 'bench',
    maxConnections: 1,
    statementTimeoutMs: 60_000,
  });
  try {
    const addEvents = await eventSource(place, tools);
    const sequence = await openBenchLog(pool, directory);
    // What the other measurements left warms it up.
    await sequence();
    const rates: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await addEvents(EVENTS);
      rates.push(await sequence());
    }
    await addEvents(EVENTS);
    const floor = await indexesAlone(pool);
    return { sequencing_events_per_s: median(rates), sequencing_floor_per_s: floor };
  } finally {
    await pool.end();
  }
}

/** Writes copies of one event, each with an id of its own, as dispatch-api's role does. */
async function eventSource(place: Place, tools: DecisionTools) {
  const [job] = place.jobs;
  const [commit] = job === undefined ? [] : await premadeCommits(place, tools, [job]);
  if (commit === undefined) throw new Error('no event was made');
  const event = JSON.parse(commit.event.body) as Record<string, unknown>;
  return async (count: number) => {
    for (let done = 0; done < count; done += BATCH_EVENTS) {
      const ids = Array.from({ length: BATCH_EVENTS }, () => newId());
      const bodies = ids.map((id) => Buffer.from(canonicalJson({ ...event, id })));
      await withTenant(place.pool, place.tenantId, (tx) =>
        tx.run(sql`
          insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
          select ${place.tenantId}, x.id, 'dispatch', 'part.record', 'bench', 'accepted', x.id, x.body
            from unnest(${ids}::uuid[], ${bodies}::bytea[]) as x (id, body)`),
      );
    }
  };
}

/** Opens the log and answers what sequences all that waits, and says how many events a second that were. */
async function openBenchLog(pool: Pool, directory: string): Promise<() => Promise<number>> {
  const database = logDatabase(pool);
  const files = openTileFiles(directory, () => randomBytes(12).toString('hex'));
  const { publicKey } = generateKeyPairSync('ed25519');
  const logKey = noteKey('log', logOrigin(ENVIRONMENT), publicKey);
  const trust = { logKey, policy: { quorum: 1, witnesses: [] } };
  const opened = await openLog({ database, files, trust, seen: undefined });
  const { epoch } = opened;
  let { edge } = opened;
  return async () => {
    const { rows } = await pool.query<{ n: number }>('select count(*) as n from audit.unsequenced');
    const waiting = rows[0]?.n ?? 0;
    const end = edge.size + waiting;
    const done = new AbortController();
    const began = performance.now();
    let tookMs = Number.NaN;
    const stored = (next: typeof edge) => {
      edge = next;
      if (edge.size < end) return;
      tookMs = performance.now() - began;
      done.abort();
    };
    await sequenceEvents({ database, files, epoch, edge, stored }, done.signal);
    return (waiting * 1000) / tookMs;
  };
}

/** The same transactions with hashes made up: no event read, nothing hashed, no tile. */
async function indexesAlone(pool: Pool): Promise<number> {
  const database = logDatabase(pool);
  const head = await database.readHead();
  const { rows } = await pool.query<{ tenant_id: string; event_id: string }>(
    'select tenant_id, event_id from audit.unsequenced order by at, event_id',
  );
  const waiting = rows.map((row) => ({
    tenantId: row.tenant_id,
    eventId: row.event_id,
    body: Buffer.alloc(0),
  }));
  const batches = Array.from({ length: Math.ceil(waiting.length / BATCH_EVENTS) }, (_, at) => {
    const events = waiting.slice(at * BATCH_EVENTS, (at + 1) * BATCH_EVENTS);
    return { events, leafHashes: events.map(() => randomBytes(32)), first: head.size + at * BATCH_EVENTS };
  });
  const began = performance.now();
  for (const batch of batches) await database.append({ ...batch, epoch: head.epoch, root: randomBytes(32) });
  return (waiting.length * 1000) / (performance.now() - began);
}
