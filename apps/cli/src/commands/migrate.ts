import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '@deadlatch/catalogue';
import { LOGIN_ROLES, type LoginRole, urlForRole } from '@deadlatch/postgres';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { ensureInstallation } from '../up/installation.ts';
import { keyDirectory } from '../up/keys.ts';
import { migrateOwnDatabase, passwordsOf } from '../up/own-database.ts';
import { ROLE_OF } from '../up/services.ts';
import { lockStateDir, prepareStateDir, stateDirAt, writeWhole } from '../up/state-dir.ts';

/**
 * `deadlatch migrate`: brings the database of `DATABASE_URL` to this version, as its administrator. Gives the roles
 * of the services the passwords of this state directory, and each service its own URL in its own key directory.
 * @throws UnreachableError, or StartError for a newer database or a directory that is in use
 */
export async function migrateDatabase(args: Arguments): Promise<number> {
  if (args.databaseUrl === undefined) {
    throw new UsageError(
      'set DATABASE_URL to the administrator of your PostgreSQL; the embedded one is migrated when it starts',
    );
  }
  const state = stateDirAt(args.stateDir);
  await prepareStateDir(state);
  // The passwords and URLs of a system that runs are not changed under it.
  const lock = await lockStateDir(state);
  try {
    const installation = await ensureInstallation(state, args.profile);
    const applied = await migrateOwnDatabase(args.databaseUrl, installation);
    const passwords = passwordsOf(installation);
    for (const [service, roleName] of Object.entries(ROLE_OF)) {
      const role = roleOf(roleName);
      const dir = keyDirectory(state.keys, service as ServiceName);
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await writeWhole(join(dir, 'database-url'), urlForRole(args.databaseUrl, role, passwords[role]));
    }
    const line = applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`;
    process.stdout.write(args.json ? `${JSON.stringify({ applied })}\n` : `${line}\n`);
    return EXIT.done;
  } finally {
    await lock.release();
  }
}

function roleOf(name: string): LoginRole {
  const found = Object.entries(LOGIN_ROLES).find(([, loginName]) => loginName === name);
  if (!found) throw new Error(`${name} does not log in`);
  return found[0] as LoginRole;
}
