import { refuse } from '@deadlatch/kernel';
import type { VerifiedRequest } from '@deadlatch/signing';
import { type Sql, sql } from './sql.ts';
import type { Tx } from './with-tenant.ts';

/** Schemas with a table of nonces of their own; `dispatch` burns its own in `dispatch.commit_decision`. */
export type NonceSchema = 'identity' | 'vault';

const TABLES: Readonly<Record<NonceSchema, { readonly nonces: Sql; readonly floor: Sql }>> = {
  identity: { nonces: sql`identity.nonces`, floor: sql`identity.nonce_floor` },
  vault: { nonces: sql`vault.nonces`, floor: sql`vault.nonce_floor` },
};

/**
 * Burns a request's nonce, as the first statement of the transaction of its effect.
 *
 * Database time decides, with 5 s of skew, and the floor below which nonces were forgotten, should that time ever step
 * back. A signature lives 60 s at most, so whatever was created more than 70 s ago is refused without looking.
 * @throws DispatchError `unauthenticated` for a replayed or a late request
 * @source T4.3
 */
export async function burnNonce(tx: Tx, schema: NonceSchema, verified: VerifiedRequest): Promise<void> {
  const { nonces, floor } = TABLES[schema];
  const burned = await tx.run(sql`
    insert into ${nonces} (keyid, nonce, created)
    select ${verified.keyId}::text, ${verified.nonce}::text, to_timestamp(${verified.created}::float8)
      from ${floor} f
     where f.floor <= to_timestamp(${verified.created}::float8)
       and to_timestamp(${verified.created}::float8) between now() - interval '70 seconds' and now() + interval '5 seconds'
       and to_timestamp(${verified.expires}::float8) > now() - interval '5 seconds'
    on conflict (keyid, nonce) do nothing`);
  if (burned !== 1) refuse('unauthenticated', { detail: 'nonce_replayed_or_late' });
}

/** Forgets nonces that no signature could use any more, raising the floor first. Safe at any time. */
export async function pruneNonces(tx: Tx, schema: NonceSchema): Promise<void> {
  const { nonces, floor } = TABLES[schema];
  await tx.run(sql`update ${floor} f set floor = greatest(f.floor, now() - interval '10 minutes')`);
  await tx.run(sql`delete from ${nonces} where created < (select f.floor from ${floor} f)`);
}
