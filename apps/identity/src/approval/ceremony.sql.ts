import { type Pool, sql, type Tx, withTenant } from '@deadlatch/postgres';
import { insertEvent } from '../audit-event.sql.ts';
import type { EventRow } from '../audit-event.ts';
import type { RefusalTrail } from '../refusals.ts';

/** Over all codes of an approval. The database's own constraint says the same. @source T3.9 */
export const MAX_TRIES = 5;
/**
 * Mails that one approval can cause in ten minutes, the life of a code. A limit that never ends would let whoever
 * holds the link lock the approver out for good.
 */
export const MAX_CODES_AT_ONCE = 3;

export interface NewStepUp {
  readonly id: string;
  readonly approvalId: string;
  readonly contactId: string;
  readonly actionDigest: string;
  readonly browserHash: string;
  readonly codeHash: string;
}

export type OpenedStepUp =
  | { readonly kind: 'opened'; readonly commitment: string }
  | { readonly kind: 'locked'; readonly code: 'code_rejected' }
  | { readonly kind: 'too-many'; readonly code: 'rate_limited' }
  | { readonly kind: 'no-address'; readonly code: 'not_eligible' };

export interface CodeTry extends Omit<NewStepUp, 'id'> {
  /** `jti` of the step-up grant: used up with the code. */
  readonly grantId: string;
  readonly grantExpiresAtS: number;
}

export type TriedCode =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'wrong-code'; readonly triesLeft: number }
  | { readonly kind: 'locked' };

export interface Standing {
  /** 0 when locked, for whatever reason. */
  readonly triesLeft: number;
  /** Whether this browser has a code that is alive and unused. */
  readonly hasLiveCode: boolean;
}

export interface CeremonyStore {
  /** Stores a code and its event; the other events are what is written when that is refused. */
  openStepUp(
    stepUp: NewStepUp,
    events: {
      readonly sent: EventRow;
      readonly locked: EventRow;
      readonly tooMany: EventRow;
      readonly noAddress: EventRow;
    },
  ): Promise<OpenedStepUp>;
  /** Locks the approval for good. */
  lock(approvalId: string, event: EventRow): Promise<void>;
  /** Counts a try, then compares and consumes. @invariant at most five rows of an approval are ever compared */
  tryCode(
    attempt: CodeTry,
    events: { readonly accepted: EventRow; readonly rejected: EventRow },
  ): Promise<TriedCode>;
  read(approvalId: string, actionDigest: string, browserHash: string | null): Promise<Standing>;
}

/** The tables behind code ceremonies. Every method is one transaction, serialised per approval by its row. */
export function createCeremonyStore(
  pool: Pool,
  tenantId: string,
  refusals: Pick<RefusalTrail, 'write'>,
): CeremonyStore {
  return {
    openStepUp: (stepUp, events) =>
      withTenant(pool, tenantId, async (tx) => {
        const standing = await holdApproval(tx, tenantId, stepUp.approvalId);
        if (standing.isLocked || standing.tries >= MAX_TRIES) {
          await refusals.write(tx, events.locked);
          return { kind: 'locked', code: 'code_rejected' };
        }
        if ((await countRecentCodes(tx, tenantId, stepUp.approvalId)) >= MAX_CODES_AT_ONCE) {
          await refusals.write(tx, events.tooMany);
          return { kind: 'too-many', code: 'rate_limited' };
        }
        const commitment = await readCommitment(tx, tenantId, stepUp.contactId);
        if (commitment === null) {
          await refusals.write(tx, events.noAddress);
          return { kind: 'no-address', code: 'not_eligible' };
        }
        await tx.run(sql`
          insert into identity.step_ups
            (tenant_id, id, approval_id, contact_id, action_digest, level, browser_hash, code_hash, expires_at)
          values (${tenantId}, ${stepUp.id}, ${stepUp.approvalId}, ${stepUp.contactId}, ${stepUp.actionDigest},
                  'L2', ${stepUp.browserHash}, ${stepUp.codeHash}, now() + interval '10 minutes')`);
        await insertEvent(tx, tenantId, events.sent);
        return { kind: 'opened', commitment };
      }),
    lock: (approvalId, event) =>
      withTenant(pool, tenantId, async (tx) => {
        await holdApproval(tx, tenantId, approvalId);
        await lockApproval(tx, tenantId, approvalId);
        await insertEvent(tx, tenantId, event);
      }),
    tryCode: (attempt, events) =>
      withTenant(pool, tenantId, async (tx) => {
        const tries = await countTry(tx, tenantId, attempt.approvalId);
        if (tries === null) {
          await refusals.write(tx, events.rejected);
          return { kind: 'locked' };
        }
        if (await consumeCode(tx, tenantId, attempt)) {
          await insertEvent(tx, tenantId, events.accepted);
          return { kind: 'accepted' };
        }
        await refusals.write(tx, events.rejected);
        if (tries < MAX_TRIES) return { kind: 'wrong-code', triesLeft: MAX_TRIES - tries };
        await lockApproval(tx, tenantId, attempt.approvalId);
        return { kind: 'locked' };
      }),
    read: (approvalId, actionDigest, browserHash) =>
      withTenant(pool, tenantId, async (tx) => {
        const row = await tx.one<{ tries: number; is_locked: boolean; has_live_code: boolean }>(sql`
          select coalesce(max(t.tries), 0)::int as tries,
                 coalesce(bool_or(t.locked_at is not null), false) as is_locked,
                 exists (select 1 from identity.step_ups s
                          where s.tenant_id = ${tenantId} and s.approval_id = ${approvalId}
                            and s.action_digest = ${actionDigest} and s.browser_hash = ${browserHash}
                            and s.used_at is null and s.expires_at > now()) as has_live_code
            from identity.code_tries t
           where t.tenant_id = ${tenantId} and t.approval_id = ${approvalId}`);
        if (row === null) return { triesLeft: 0, hasLiveCode: false };
        return { triesLeft: row.is_locked ? 0 : MAX_TRIES - row.tries, hasLiveCode: row.has_live_code };
      }),
  };
}

/** Takes the approval's row, making it if need be: whoever else works on this approval waits. */
async function holdApproval(
  tx: Tx,
  tenantId: string,
  approvalId: string,
): Promise<{ readonly tries: number; readonly isLocked: boolean }> {
  await tx.run(sql`
    insert into identity.code_tries (tenant_id, approval_id) values (${tenantId}, ${approvalId})
    on conflict (tenant_id, approval_id) do nothing`);
  const row = await tx.one<{ tries: number; is_locked: boolean }>(sql`
    select tries, locked_at is not null as is_locked from identity.code_tries
     where tenant_id = ${tenantId} and approval_id = ${approvalId} for update`);
  return row === null ? { tries: MAX_TRIES, isLocked: true } : { tries: row.tries, isLocked: row.is_locked };
}

async function lockApproval(tx: Tx, tenantId: string, approvalId: string): Promise<void> {
  await tx.run(sql`
    update identity.code_tries set locked_at = coalesce(locked_at, now())
     where tenant_id = ${tenantId} and approval_id = ${approvalId}`);
}

async function countRecentCodes(tx: Tx, tenantId: string, approvalId: string): Promise<number> {
  const row = await tx.one<{ codes: number }>(sql`
    select count(*)::int as codes from identity.step_ups
     where tenant_id = ${tenantId} and approval_id = ${approvalId} and sent_at > now() - interval '10 minutes'`);
  return row?.codes ?? MAX_CODES_AT_ONCE;
}

async function readCommitment(tx: Tx, tenantId: string, contactId: string): Promise<string | null> {
  const row = await tx.one<{ commitment: string }>(sql`
    select commitment from identity.address_commitments
     where tenant_id = ${tenantId} and contact_id = ${contactId} and kind = 'email'`);
  return row?.commitment ?? null;
}

/** The number of this try, or null when none is left. Holds the row until the transaction ends. */
async function countTry(tx: Tx, tenantId: string, approvalId: string): Promise<number | null> {
  const row = await tx.one<{ tries: number }>(sql`
    update identity.code_tries set tries = tries + 1
     where tenant_id = ${tenantId} and approval_id = ${approvalId} and locked_at is null and tries < ${MAX_TRIES}
    returning tries`);
  return row?.tries ?? null;
}

/** Whether the code fits; then it is used up, and the grant with it. */
async function consumeCode(tx: Tx, tenantId: string, attempt: CodeTry): Promise<boolean> {
  const used = await tx.run(sql`
    update identity.step_ups set used_at = now()
     where tenant_id = ${tenantId} and approval_id = ${attempt.approvalId} and contact_id = ${attempt.contactId}
       and action_digest = ${attempt.actionDigest} and browser_hash = ${attempt.browserHash}
       and code_hash = ${attempt.codeHash} and used_at is null and expires_at > now()`);
  if (used !== 1) return false;
  const grants = await tx.run(sql`
    insert into identity.used_grants (tenant_id, jti, expires_at)
    values (${tenantId}, ${attempt.grantId}, to_timestamp(${attempt.grantExpiresAtS}))
    on conflict (tenant_id, jti) do nothing`);
  return grants === 1;
}
