import { refuse } from '@deadlatch/kernel';
import type { VerifiedRequest } from '@deadlatch/signing';
import { type Sql, sql } from './sql.ts';
import type { Tx } from './with-tenant.ts';

/** Schemas with a table of nonces of their own; `dispatch` burns its own in `dispatch.commit_decision`. */
export type NonceSchema = 'identity' | 'vault';

const TABLES: Readonly<Record<NonceSchema, Sql>> = {
  identity: sql`identity.nonces`,
  vault: sql`vault.nonces`,
};

/**
 * Burns a request's nonce, as the first statement of the transaction of its effect.
 *
 * Database time decides, with 5 s of skew. A signature lives 60 s at most, so whatever was created more than 70 s
 * ago is refused without looking, and nonces older than ten minutes may be forgotten.
 * @throws DispatchError `unauthenticated` for a replayed or a late request
 * @source T4.3
 */
export async function burnNonce(tx: Tx, schema: NonceSchema, verified: VerifiedRequest): Promise<void> {
  const burned = await tx.run(sql`
    insert into ${TABLES[schema]} (keyid, nonce, created)
    select ${verified.keyId}::text, ${verified.nonce}::text, to_timestamp(${verified.created}::float8)
     where to_timestamp(${verified.created}::float8) between now() - interval '70 seconds' and now() + interval '5 seconds'
       and to_timestamp(${verified.expires}::float8) > now() - interval '5 seconds'
    on conflict (keyid, nonce) do nothing`);
  if (burned !== 1) refuse('unauthenticated', { detail: 'nonce_replayed_or_late' });
}

/** Forgets nonces that no signature could use any more. */
export async function pruneNonces(tx: Tx, schema: NonceSchema): Promise<void> {
  await tx.run(sql`delete from ${TABLES[schema]} where created < now() - interval '10 minutes'`);
}
