import type { PublicationKind } from '@deadlatch/catalogue';
import type { PublicationFacts } from '@deadlatch/decision';
import { sql, type Tx } from '@deadlatch/postgres';

/** What is published of one kind, and the database's time at which it is looked at. */
export interface Published {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** By name: the facts that commands are decided on. */
  readonly byName: ReadonlyMap<string, PublicationFacts>;
}

export async function listPublications(tx: Tx, tenantId: string, kind: PublicationKind): Promise<Published> {
  const row = await tx.one<{ now: string; facts: PublicationFacts[] }>(sql`
    select dispatch.instant(now()) as now, coalesce((
      select jsonb_agg(dispatch.publication_facts(${tenantId}, ${kind}, x.name) order by x.name)
        from (select distinct p.name from dispatch.publications p
               where p.tenant_id = ${tenantId} and p.kind = ${kind}) x), '[]'::jsonb) as facts`);
  return {
    now: Date.parse(row?.now ?? ''),
    byName: new Map((row?.facts ?? []).map((facts) => [facts.name, facts])),
  };
}
