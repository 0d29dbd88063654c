import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { LOGIN_ROLE_NAMES, LOGIN_ROLES, type LoginRole, OWNER_ROLE } from './roles.ts';
import { StartError } from './start-error.ts';

const SQL_DIRECTORY = fileURLToPath(new URL('../../../sql/', import.meta.url));
/** Any constant does; it only has to be ours. */
const LOCK_KEY = 4_399_001;

export interface MigrateOptions {
  /** The administrator's URL; names the database to migrate. */
  readonly adminUrl: string;
  /**
   * New passwords of the roles that log in; a role that is left out keeps the one it has. Except `demo`, whose only
   * right is to make sign-in links for anybody: it can log in only where this migration says so.
   */
  readonly passwords?: Partial<Readonly<Record<LoginRole, string>>>;
  /** Default: `sql/` of this repository. */
  readonly sqlDirectory?: string;
}

interface SqlFile {
  readonly name: string;
  readonly number: number;
  readonly text: string;
  readonly checksum: string;
}

/**
 * Brings a database to this code's version: roles, numbered files once each in order, then functions, guards,
 * row-level security, transitions and grants, which are re-made on every run. All in one transaction.
 * @throws StartError `newer_database` when the database is ahead of this code, `changed_migration` when a file that
 * was applied has changed since
 * @invariant afterwards no login role is a superuser or bypasses row-level security
 */
export async function migrate(options: MigrateOptions): Promise<{ readonly applied: readonly string[] }> {
  const directory = options.sqlDirectory ?? SQL_DIRECTORY;
  const files = await numberedFiles(directory);
  const repeatable = [
    ...(await sqlFiles(join(directory, 'functions'))),
    ...(await sqlFiles(join(directory, 'generated'))),
    ...(await sqlFiles(join(directory, 'grants'))),
  ];
  return await asAdministrator(options.adminUrl, async (client) => {
    await client.query('begin');
    try {
      await client.query('select pg_advisory_xact_lock($1)', [LOCK_KEY]);
      await prepareRoles(client, options.passwords ?? {});
      await client.query(`set local role ${OWNER_ROLE}`);
      const applied = await applyNumbered(client, files);
      for (const path of repeatable)
        await runFile(client, relative(directory, path), await readFile(path, 'utf8'));
      await client.query('commit');
      return { applied };
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
  });
}

/** Creates the database unless it exists. Answers the administrator's URL of it. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<string> {
  await asAdministrator(adminUrl, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0)
      await client.query(`create database ${client.escapeIdentifier(name)} encoding 'UTF8'`);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

/** Only our roles may connect to the database `adminUrl` names. A copy of a template needs this again. */
export async function restrictConnections(adminUrl: string): Promise<void> {
  await asAdministrator(adminUrl, (client) => grantConnect(client));
}

/**
 * Whether the database is exactly at this code's version; for readiness checks of services that may read it.
 * @throws StartError `not_migrated` or `newer_database`
 */
export async function assertMigrated(pool: pg.Pool): Promise<void> {
  const known = (await numberedFiles(SQL_DIRECTORY)).at(-1)?.number ?? 0;
  const { rows } = await pool.query<{ last: number | null }>(
    'select max(number) as last from dispatch.migrations',
  );
  const last = rows[0]?.last ?? 0;
  if (last > known) throw newer(last, known);
  if (last < known) {
    throw new StartError(
      'not_migrated',
      `The database is at migration ${last}, this code needs ${known}: run "deadlatch migrate".`,
    );
  }
}

async function asAdministrator<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'deadlatch migrate' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function prepareRoles(
  client: pg.Client,
  passwords: Partial<Readonly<Record<LoginRole, string>>>,
): Promise<void> {
  const names = [OWNER_ROLE, ...Object.values(LOGIN_ROLES)];
  const { rows } = await client.query<{ rolname: string }>(
    'select rolname from pg_roles where rolname = any($1)',
    [names],
  );
  const existing = new Set(rows.map((r) => r.rolname));
  for (const name of names) {
    if (existing.has(name)) continue;
    await client.query(`create role ${name} ${name === OWNER_ROLE ? 'nologin' : 'login'}`);
  }
  const { rows: me } = await client.query<{ member: boolean }>(
    "select pg_has_role(current_user, $1, 'member') as member",
    [OWNER_ROLE],
  );
  if (me[0]?.member !== true) await client.query(`grant ${OWNER_ROLE} to current_user`);
  for (const role of LOGIN_ROLE_NAMES) {
    const password = passwords[role];
    if (password === undefined) continue;
    await client.query(`alter role ${LOGIN_ROLES[role]} password ${client.escapeLiteral(password)}`);
  }
  await client.query(`alter role ${LOGIN_ROLES.demo} ${passwords.demo === undefined ? 'nologin' : 'login'}`);
  const { rows: strong } = await client.query<{ rolname: string }>(
    'select rolname from pg_roles where rolname = any($1) and (rolsuper or rolbypassrls or rolcreaterole)',
    [names],
  );
  if (strong[0] !== undefined) {
    throw new StartError(
      'not_migrated',
      `The database role ${strong[0].rolname} has more rights than any service may have; remove SUPERUSER, BYPASSRLS and CREATEROLE from it.`,
    );
  }
  await grantConnect(client);
  // Trusted, but its objects belong to whoever may create them, not to the owner of our tables.
  await client.query('create extension if not exists btree_gist');
  await client.query(`create schema if not exists dispatch authorization ${OWNER_ROLE}`);
}

async function grantConnect(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select current_database() as name');
  const database = client.escapeIdentifier(rows[0]?.name ?? '');
  await client.query(`revoke all on database ${database} from public`);
  await client.query(`grant connect on database ${database} to ${Object.values(LOGIN_ROLES).join(', ')}`);
  await client.query(`grant connect, create on database ${database} to ${OWNER_ROLE}`);
}

async function applyNumbered(client: pg.Client, files: readonly SqlFile[]): Promise<string[]> {
  await client.query(
    `create table if not exists dispatch.migrations (
       number integer primary key, name text not null, checksum text not null,
       applied_at timestamptz not null default now())`,
  );
  const { rows } = await client.query<{ number: number; name: string; checksum: string }>(
    'select number, name, checksum from dispatch.migrations order by number',
  );
  const known = files.at(-1)?.number ?? 0;
  const last = rows.at(-1)?.number ?? 0;
  if (last > known) throw newer(last, known);
  const done = new Map(rows.map((r) => [r.number, r]));
  const applied: string[] = [];
  for (const file of files) {
    const before = done.get(file.number);
    if (before !== undefined) {
      if (before.checksum === file.checksum) continue;
      throw new StartError(
        'changed_migration',
        `The file ${file.name} was changed after it was applied to this database; migrations only move forward, so add a new file instead.`,
      );
    }
    await runFile(client, file.name, file.text);
    await client.query('insert into dispatch.migrations (number, name, checksum) values ($1, $2, $3)', [
      file.number,
      file.name,
      file.checksum,
    ]);
    applied.push(file.name);
  }
  return applied;
}

async function runFile(client: pg.Client, name: string, text: string): Promise<void> {
  try {
    await client.query(text);
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause });
  }
}

function newer(last: number, known: number): StartError {
  return new StartError(
    'newer_database',
    `The database is at migration ${last}, this code knows ${known}: it belongs to a newer version of Deadlatch.`,
  );
}

/** `<schema>/NNNN-name.sql`, by number. */
async function numberedFiles(directory: string): Promise<SqlFile[]> {
  const files: SqlFile[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const path of await sqlFiles(join(directory, entry.name))) {
      const name = relative(directory, path);
      const match = /[\\/](\d{4})-[a-z0-9-]+\.sql$/.exec(path);
      if (match === null) continue;
      const text = await readFile(path, 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      files.push({ name, number: Number(match[1]), text, checksum });
    }
  }
  files.sort((a, b) => a.number - b.number);
  const twice = files.find((file, at) => files[at + 1]?.number === file.number);
  if (twice !== undefined) throw new Error(`two migrations have the number ${twice.number}`);
  return files;
}

async function sqlFiles(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return names.map((name) => join(directory, name));
}
