import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asOperator } from '../../apps/cli/src/operator.ts';
import { stateDirAt } from '../../apps/cli/src/up/state-dir.ts';

/** What the system holds. */
export interface Holdings {
  /** Rows by `schema.table`. */
  readonly rows: Readonly<Record<string, number>>;
  readonly refusedEvents: number;
  /** Refusals that stand in counts and not in events of their own. */
  readonly countedRefusals: number;
  readonly strangersMessages: number;
  readonly mariasMessages: number;
  readonly inboxFiles: number;
  readonly logBytes: number;
}

const TABLES = `
  select schemaname || '.' || tablename as name from pg_tables
   where schemaname in ('dispatch', 'audit', 'context', 'identity', 'vault', 'trust') order by 1`;
const COUNTS = `
  select (select count(*)::int from audit.events where decision = 'refused') as refused_events,
         (select coalesce(sum((convert_from(body, 'UTF8')::jsonb -> 'details' ->> 'count')::int), 0)::int
            from audit.events where command = 'refusals.counted') as counted,
         (select count(*)::int from dispatch.messages where direction = 'IN' and contact_id is null) as strangers,
         (select count(*)::int from dispatch.messages where direction = 'IN' and contact_id = $1) as marias`;

/** Counts everything that a flood could make grow. */
export function takeStock(stateDir: string, mariaId: string): Promise<Holdings> {
  const state = stateDirAt(stateDir);
  return asOperator(stateDir, async ({ client }) => {
    const tables = (await client.query<{ name: string }>(TABLES)).rows.map(({ name }) => name);
    const counted = await client.query<{ name: string; n: number }>(
      tables.map((name) => `select '${name}' as name, count(*)::int as n from ${name}`).join(' union all '),
    );
    const [counts] = (await client.query<Record<string, number>>(COUNTS, [mariaId])).rows;
    const folders = await readdir(state.inbox, { recursive: true, withFileTypes: true });
    const logs = await readdir(state.logs);
    const sizes = await Promise.all(logs.map(async (name) => (await stat(join(state.logs, name))).size));
    return {
      rows: Object.fromEntries(counted.rows.map(({ name, n }) => [name, n])),
      refusedEvents: counts?.refused_events ?? 0,
      countedRefusals: counts?.counted ?? 0,
      strangersMessages: counts?.strangers ?? 0,
      mariasMessages: counts?.marias ?? 0,
      inboxFiles: folders.filter((entry) => entry.isFile()).length,
      logBytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  });
}

/** What was added from one stock to the next; tables that did not grow are left out. */
export function growthOf(before: Holdings, after: Holdings): Holdings {
  const names = Object.keys(after.rows).filter((name) => after.rows[name] !== before.rows[name]);
  const more = (of: (stock: Holdings) => number) => of(after) - of(before);
  return {
    rows: Object.fromEntries(names.map((name) => [name, more((stock) => stock.rows[name] ?? 0)])),
    refusedEvents: more((stock) => stock.refusedEvents),
    countedRefusals: more((stock) => stock.countedRefusals),
    strangersMessages: more((stock) => stock.strangersMessages),
    mariasMessages: more((stock) => stock.mariasMessages),
    inboxFiles: more((stock) => stock.inboxFiles),
    logBytes: more((stock) => stock.logBytes),
  };
}
