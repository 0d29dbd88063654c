import { LOGIN_ROLE_NAMES, LOGIN_ROLES, type LoginRole, migrate } from '@deadlatch/postgres';
import { UnreachableError } from '../arguments.ts';
import type { Installation } from './installation.ts';

/** What this installation drew for each role that logs in. */
export function passwordsOf(installation: Installation): Record<LoginRole, string> {
  return Object.fromEntries(
    LOGIN_ROLE_NAMES.map((role) => [role, installation.passwords[LOGIN_ROLES[role]] ?? '']),
  ) as Record<LoginRole, string>;
}

/**
 * Brings a PostgreSQL that the operator runs to this version's schema, and gives each role the password that this
 * installation drew for it.
 * @param databaseUrl the administrator's; held by the operator alone
 * @returns names of the migrations that were applied now
 * @throws UnreachableError, or StartError of `@deadlatch/postgres` for a database of a newer version
 */
export async function migrateOwnDatabase(
  databaseUrl: string,
  installation: Installation,
): Promise<readonly string[]> {
  try {
    const { applied } = await migrate({ adminUrl: databaseUrl, passwords: passwordsOf(installation) });
    return applied;
  } catch (cause) {
    const { code } = (cause ?? {}) as { readonly code?: unknown };
    // No connection, or one that is turned away: class 28 and 3D000 are password, role and no such database.
    if (typeof code !== 'string' || !/^(E[A-Z_]+|28...|3D000)$/.test(code)) throw cause;
    throw new UnreachableError(`The database at ${new URL(databaseUrl).host} cannot be used (${code}).`, {
      cause,
    });
  }
}
