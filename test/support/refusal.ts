import type { Pool, Sql, Tx } from '@deadlatch/postgres';
import { withTenant } from '@deadlatch/postgres';

/** SQLSTATE of "permission denied". */
export const NO_GRANT = '42501';

/** Constraint name or SQLSTATE with which the database refused, or `allowed`. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'allowed';
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code === undefined) throw error;
    // The server names a table's constraint; a policy's refusal has the code of a missing grant.
    return constraint ?? code;
  }
}

/** Runs statements as one transaction of a tenant, as an attacker with the pool's role would. */
export function attack(pool: Pool, tenantId: string, ...statements: readonly Sql[]): Promise<string> {
  return refusalOf(
    withTenant(pool, tenantId, async (tx: Tx) => {
      for (const statement of statements) await tx.run(statement);
    }),
  );
}
