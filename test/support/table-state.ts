import type { Pool } from '@deadlatch/postgres';

/** Count and digest of the rows of every table, by `schema.table`. */
export type TableState = Readonly<Record<string, string>>;

/**
 * What every table holds now: two that are equal mean that nothing at all was written between them.
 * @param without tables that may have moved, e.g. `audit.events` and `dispatch.nonces` for an audited refusal
 */
export async function tableState(admin: Pool, ...without: readonly string[]): Promise<TableState> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables
      where schemaname in ('dispatch', 'audit', 'context', 'identity', 'vault', 'trust') order by 1`,
  );
  // The sequencer's own, which moves for as long as it runs: nobody else may write there.
  const moved = [...without, 'audit.unsequenced', 'audit.log_entries', 'audit.log_head'];
  const wanted = tables.map(({ name }) => name).filter((name) => !moved.includes(name));
  const { rows } = await admin.query<{ name: string; held: string }>(
    wanted
      .map(
        (name) =>
          `select '${name}' as name, count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '') as held
             from ${name} t`,
      )
      .join(' union all '),
  );
  return Object.fromEntries(rows.map(({ name, held }) => [name, held]));
}

/** Tables that a refusal of a known caller writes, and no others. */
export const REFUSAL_WRITES = ['audit.events', 'dispatch.nonces'] as const;

export interface StoredEvent {
  readonly id: string;
  readonly command: string;
  readonly actor: string;
  readonly decision: 'accepted' | 'refused';
  readonly correlation_id: string;
  readonly ticket_id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a stored document, looked at from outside
  readonly body: any;
}

/** Events that dispatch-api wrote, oldest first. */
export async function storedEvents(admin: Pool, tenantId: string): Promise<StoredEvent[]> {
  const { rows } = await admin.query<StoredEvent>(
    `select id, command, actor, decision, correlation_id, ticket_id, convert_from(body, 'UTF8')::jsonb as body
       from audit.events where tenant_id = $1 and origin = 'dispatch' order by at, id`,
    [tenantId],
  );
  return rows;
}
