import { refuse } from '@deadlatch/kernel';
import { sql, type Tx } from '@deadlatch/postgres';
import type { VerifiedRequest } from '@deadlatch/signing';

/**
 * Burns a request's nonce, as the first statement of the transaction of its effect.
 *
 * Database time decides, with 5 s of skew. A signature lives 60 s at most, so whatever was created more than 70 s
 * ago is refused without looking, and nonces older than ten minutes may be forgotten.
 * @throws DispatchError `unauthenticated` for a replayed or a late request
 * @source T4.3
 */
export async function burnNonce(tx: Tx, verified: VerifiedRequest): Promise<void> {
  const burned = await tx.run(sql`
    insert into vault.nonces (keyid, nonce, created)
    select ${verified.keyId}::text, ${verified.nonce}::text, to_timestamp(${verified.created}::float8)
     where to_timestamp(${verified.created}::float8) between now() - interval '70 seconds' and now() + interval '5 seconds'
       and to_timestamp(${verified.expires}::float8) > now() - interval '5 seconds'
    on conflict (keyid, nonce) do nothing`);
  if (burned !== 1) refuse('unauthenticated', { detail: 'nonce_replayed_or_late' });
}

/** Forgets nonces and used grants that nothing could use any more. A grant lives five minutes at most. */
export async function pruneUsed(tx: Tx): Promise<void> {
  await tx.run(sql`delete from vault.nonces where created < now() - interval '10 minutes'`);
  await tx.run(sql`delete from vault.used_grants where expires_at < now() - interval '1 day'`);
}
