import { sql, type Tx } from '@deadlatch/postgres';

/** Marks a grant as used. @returns false when it was used before */
export async function burnGrant(tx: Tx, tenantId: string, jti: string, expiresAtS: number): Promise<boolean> {
  const burned = await tx.run(sql`
    insert into vault.used_grants (tenant_id, jti, expires_at)
    values (${tenantId}, ${jti}, to_timestamp(${expiresAtS}::float8))
    on conflict (tenant_id, jti) do nothing`);
  return burned === 1;
}

/** Whether a grant is alive by database time, which a service's own clock cannot move. */
export async function isAlive(tx: Tx, expiresAtS: number): Promise<boolean> {
  const row = await tx.one<{ alive: boolean }>(sql`
    select to_timestamp(${expiresAtS}::float8) > now() - interval '5 seconds' as alive`);
  return row?.alive === true;
}

export async function countReveals(tx: Tx, tenantId: string): Promise<number> {
  const row = await tx.one<{ used: number }>(sql`
    select count(*) as used from vault.used_grants
     where tenant_id = ${tenantId} and used_at > now() - interval '1 minute'`);
  return row?.used ?? 0;
}

/** Forgets used grants that nothing could use any more. A grant lives five minutes at most. */
export async function pruneGrants(tx: Tx): Promise<void> {
  await tx.run(sql`delete from vault.used_grants where expires_at < now() - interval '1 day'`);
}
