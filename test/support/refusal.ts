import { type Pool, type Sql, sql, type Tx, withTenant } from '@deadlatch/postgres';
import { newId } from './commits.ts';

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

/** An event with its effect, written past the functions, as an attacker with dispatch-api's role could. */
export function plantedEffect(
  tenantId: string,
  object: string,
  id: string,
  command: string,
  to: string,
  from = '-',
  version = 1,
): Sql[] {
  const event = newId();
  return [
    sql`insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
        values (${tenantId}, ${event}, 'dispatch', ${command}, 'a', 'accepted', ${newId()}, '')`,
    sql`insert into audit.effects
          (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
        values (${tenantId}, ${object}, ${id}, ${version}, ${command}, ${from}, ${to}, ${event})`,
  ];
}
