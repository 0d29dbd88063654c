import { type Sql, sql, type Tx } from '@deadlatch/postgres';
import { PAGE } from './tickets.sql.ts';

/** Events that one page looks at; a question that few events answer takes more pages, and none takes long. */
const SEEN_AT_ONCE = 5_000;
/** Ids begin with the clock of who made them; events are dated by the database. */
const CLOCK_SLACK_MS = 5 * 60_000;

export interface AuditFilter {
  readonly ticketId: string | null;
  readonly correlationId: string | null;
  /** As `actorName` writes it. */
  readonly actor: string | null;
  readonly command: string | null;
  readonly decision: 'accepted' | 'refused' | null;
  /** RFC 3339; from the first inclusive to the second exclusive. */
  readonly since: string | null;
  readonly until: string | null;
  /** Where the page before ended. */
  readonly after: string | null;
}

export interface AuditPage {
  /** Bodies, newest first. */
  readonly bodies: readonly string[];
  /** Where to go on; null at the end. */
  readonly next: string | null;
}

/**
 * Events of the tenant, newest first by their ids, which are ordered by time. Read along the primary key, or along the
 * ticket's or the correlation's own index, a bounded stretch at a time.
 */
export async function searchEvents(tx: Tx, tenantId: string, filter: AuditFilter): Promise<AuditPage> {
  const rows = await tx.query<{ id: string; body: string | null }>(sql`
    with seen as materialized (
      select e.id, ${matches(filter)} as is_match from audit.events e
      where e.tenant_id = ${tenantId} and ${stretch(filter)}
      order by e.id desc limit ${SEEN_AT_ONCE}),
    found as (select id from seen where is_match order by id desc limit ${PAGE}),
    -- Where the next page begins: after the last one found, or after all that was seen.
    ends as (
      select case when (select count(id) from found) = ${PAGE} then (select id from found order by id limit 1)
        when (select count(id) from seen) = ${SEEN_AT_ONCE} then (select id from seen order by id limit 1) end as id)
    select e.id, convert_from(e.body, 'UTF8') as body from found
      join audit.events e on e.tenant_id = ${tenantId} and e.id = found.id
    union all
    select id, null from ends where id is not null
    order by 1 desc`);
  const bodies = rows.flatMap(({ body }) => (body === null ? [] : [body]));
  return { bodies, next: rows.find(({ body }) => body === null)?.id ?? null };
}

/** What an index or the order of ids answers. */
function stretch({ ticketId, correlationId, since, until, after }: AuditFilter): Sql {
  return all([
    ...(ticketId === null ? [] : [sql`e.ticket_id = ${ticketId}::uuid`]),
    ...(correlationId === null ? [] : [sql`e.correlation_id = ${correlationId}::uuid`]),
    ...(since === null ? [] : [sql`e.id >= ${firstIdOf(Date.parse(since) - CLOCK_SLACK_MS)}::uuid`]),
    ...(until === null ? [] : [sql`e.id < ${firstIdOf(Date.parse(until) + CLOCK_SLACK_MS)}::uuid`]),
    ...(after === null ? [] : [sql`e.id < ${after}::uuid`]),
  ]);
}

/** What has to be looked at. */
function matches({ actor, command, decision, since, until }: AuditFilter): Sql {
  return all([
    ...(actor === null ? [] : [sql`e.actor = ${actor}`]),
    ...(command === null ? [] : [sql`e.command = ${command}`]),
    ...(decision === null ? [] : [sql`e.decision = ${decision}`]),
    ...(since === null ? [] : [sql`e.at >= ${since}::timestamptz`]),
    ...(until === null ? [] : [sql`e.at < ${until}::timestamptz`]),
  ]);
}

function all(conditions: readonly Sql[]): Sql {
  return conditions.reduce((before, one) => sql`${before} and ${one}`, sql`true`);
}

/** The lowest UUIDv7 of a millisecond. @source RFC 9562 section 5.7 */
function firstIdOf(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0').slice(-12);
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
