import type { Assurance } from '@deadlatch/catalogue';
import { sql, type Tx } from '@deadlatch/postgres';

/** Who signed in, as the link's issuer wrote it. `roles` are for display: dispatch-api looks roles up itself. */
export interface SignedIn {
  readonly subject: string;
  readonly label: string;
  readonly roles: readonly string[];
}

export interface LiveSession extends SignedIn {
  readonly assurance: Assurance;
  readonly expires_at: Date;
}

/**
 * Uses a sign-in link up. One statement: of two at once, one gets the row.
 * @returns null when there is no such link, it was used or it is over
 * @source T3.12
 */
export function consumeSignInLink(tx: Tx, tenantId: string, hash: string): Promise<SignedIn | null> {
  return tx.one<SignedIn>(sql`
    update identity.sign_in_links set used_at = now()
     where tenant_id = ${tenantId} and hash = ${hash} and used_at is null and expires_at > now()
    returning subject, label, roles`);
}

/** Starts a session of twelve hours. */
export function insertSession(
  tx: Tx,
  tenantId: string,
  session: SignedIn & { readonly hash: string },
): Promise<{ readonly expires_at: Date } | null> {
  return tx.one<{ expires_at: Date }>(sql`
    insert into identity.sessions (tenant_id, hash, subject, label, roles, assurance, expires_at)
    values (${tenantId}, ${session.hash}, ${session.subject}, ${session.label}, ${session.roles}, 'L1',
            now() + interval '12 hours')
    returning expires_at`);
}

/** The session with this hash, if it is alive. */
export function findLiveSession(tx: Tx, tenantId: string, hash: string): Promise<LiveSession | null> {
  return tx.one<LiveSession>(sql`
    select subject, label, roles, assurance, expires_at from identity.sessions
     where tenant_id = ${tenantId} and hash = ${hash} and ended_at is null and expires_at > now()`);
}

/** Ends a session; null when there was none alive. */
export function endSession(
  tx: Tx,
  tenantId: string,
  hash: string,
): Promise<{ readonly subject: string } | null> {
  return tx.one<{ subject: string }>(sql`
    update identity.sessions set ended_at = now()
     where tenant_id = ${tenantId} and hash = ${hash} and ended_at is null and expires_at > now()
    returning subject`);
}
