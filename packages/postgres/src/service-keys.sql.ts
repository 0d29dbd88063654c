import { type PinnedKey, publicKeyFromX } from '@deadlatch/signing';
import type { Pool } from './pool.ts';
import { sql } from './sql.ts';

interface Row {
  readonly keyid: string;
  readonly service: string;
  readonly x: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly revoked_at: Date | null;
}

/**
 * The pinned keys of this environment, revoked ones too: whoever looks one up must see that it is. A key of another
 * environment cannot even be found.
 * @throws the driver's error; a key that is no key
 * @source T4.2
 */
export async function readServiceKeys(pool: Pool, environment: string): Promise<readonly PinnedKey[]> {
  const statement = sql`
    select keyid, service, x, not_before, not_after, revoked_at
      from trust.service_keys where environment = ${environment}`;
  const { rows } = await pool.query<Row>(statement.toQuery());
  return rows.map((row) => ({
    keyId: row.keyid,
    service: row.service,
    publicKey: publicKeyFromX(row.x),
    notBefore: row.not_before.getTime(),
    notAfter: row.not_after.getTime(),
    revokedAt: row.revoked_at?.getTime() ?? null,
  }));
}
