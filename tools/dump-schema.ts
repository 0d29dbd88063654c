/**
 * `node tools/dump-schema.ts [--check]`: what a migrated database looks like, as `sql/schema.sql`.
 * Read from the system catalogues, so it needs no pg_dump and shows what the server understood, not what we wrote.
 * With `--check` nothing is written and a difference fails.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, ensureDatabase, migrate, type Pool, startEmbeddedPostgres } from '@deadlatch/postgres';

const SCHEMA_FILE = join(import.meta.dirname, '..', 'sql', 'schema.sql');
const SCHEMAS = ['audit', 'context', 'dispatch', 'identity', 'jobs', 'trust', 'vault'];

/** One query per kind of thing; each answers lines in a fixed order. */
const SECTIONS: readonly (readonly [title: string, query: string])[] = [
  [
    'roles',
    `select format('role %s%s%s%s;', rolname, case when rolcanlogin then ' login' else ' nologin' end,
                   case when rolsuper then ' SUPERUSER' else '' end, case when rolbypassrls then ' BYPASSRLS' else '' end) as line
       from pg_roles where rolname like 'deadlatch\\_%' and $1::text[] is not null order by rolname`,
  ],
  [
    'schemas',
    `select format('schema %I owner %s;', nspname, nspowner::regrole) as line
       from pg_namespace where nspname = any($1) order by nspname`,
  ],
  [
    'tables',
    `select format(E'table %I.%I owner %s%s%s%s (\\n%s\\n);', n.nspname, c.relname, c.relowner::regrole,
              case when c.relrowsecurity then ' row security' else '' end,
              case when c.relforcerowsecurity then ' forced' else '' end,
              coalesce(' with ' || array_to_string(c.reloptions, ', '), ''),
              (select string_agg(format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                        case when a.attnotnull then ' not null' else '' end,
                        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')), E',\\n' order by a.attnum)
                 from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) as line
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and c.relkind in ('r', 'p') order by n.nspname, c.relname`,
  ],
  [
    'constraints',
    `select format('%I.%I constraint %I %s;', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) as line
       from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and k.contype in ('c', 'f', 'p', 'u', 'x')
      order by n.nspname, c.relname, k.conname`,
  ],
  [
    'indexes',
    `select pg_get_indexdef(i.indexrelid) || ';' as line
       from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_class x on x.oid = i.indexrelid
      where n.nspname = any($1) and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype <> 'f')
      order by n.nspname, c.relname, x.relname`,
  ],
  [
    'policies',
    `select format('policy %I on %I.%I as %s for %s%s%s;', p.polname, n.nspname, c.relname,
              case when p.polpermissive then 'permissive' else 'restrictive' end,
              case p.polcmd when '*' then 'all' when 'a' then 'insert' when 'r' then 'select' when 'w' then 'update' else 'delete' end,
              coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
              coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')) as line
       from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) order by n.nspname, c.relname, p.polname`,
  ],
  [
    'triggers',
    `select pg_get_triggerdef(t.oid) || ';' as line
       from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any($1) and not t.tgisinternal order by n.nspname, c.relname, t.tgname`,
  ],
  [
    'functions',
    `select rtrim(pg_get_functiondef(p.oid), E'\\n') || ';' as line
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = any($1) order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)`,
  ],
  [
    'grants on schemas and functions',
    `select line from (
       select format('grant %s on schema %I to %s;', x.privilege_type, n.nspname,
                coalesce(nullif(x.grantee, 0)::regrole::text, 'public')) as line
         from pg_namespace n, aclexplode(n.nspacl) x where n.nspname = any($1) and x.grantee <> n.nspowner
       union all
       select format('grant %s on function %s to %s;', x.privilege_type, p.oid::regprocedure,
                coalesce(nullif(x.grantee, 0)::regrole::text, 'public'))
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
              aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
        where n.nspname = any($1) and x.grantee <> p.proowner) g order by line`,
  ],
  [
    'grants on tables',
    `select line from (
       select format('grant %s on %I.%I to %s;', x.privilege_type, n.nspname, c.relname,
                coalesce(nullif(x.grantee, 0)::regrole::text, 'public')) as line
         from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x
        where n.nspname = any($1) and x.grantee <> c.relowner and c.relkind in ('r', 'p', 'S', 'v')
       union all
       select format('grant %s (%s) on %I.%I to %s;', x.privilege_type, string_agg(a.attname, ', ' order by a.attname),
                n.nspname, c.relname, coalesce(nullif(x.grantee, 0)::regrole::text, 'public'))
         from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace,
              aclexplode(a.attacl) x
        where n.nspname = any($1) and x.grantee <> c.relowner
        group by x.privilege_type, n.nspname, c.relname, x.grantee) g order by line`,
  ],
];

/** The schema of the database at `url` (an administrator's) as text; the same schema always gives the same text. */
export async function dumpSchema(url: string): Promise<string> {
  const pool = createPool({ url, applicationName: 'dump schema', maxConnections: 1 });
  try {
    const parts = ['-- Generated by `node tools/dump-schema.ts` from a migrated database; do not edit.'];
    for (const [title, query] of SECTIONS) parts.push(`-- ${title}`, ...(await linesOf(pool, query)));
    return `${parts.join('\n')}\n`;
  } finally {
    await pool.end();
  }
}

async function linesOf(pool: Pool, query: string): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(query, [SCHEMAS]);
  return rows.map((row) => row.line);
}

/** Migrates an empty database of a server of its own and dumps that. */
async function dumpFresh(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'deadlatch-schema-'));
  try {
    const server = await startEmbeddedPostgres({ directory, port: await freePort() });
    try {
      const adminUrl = await ensureDatabase(server.adminUrl, 'deadlatch');
      await migrate({ adminUrl });
      return await dumpSchema(adminUrl);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject()));
    });
  });
}

async function main(): Promise<void> {
  const dumped = await dumpFresh();
  if (!process.argv.includes('--check')) {
    await writeFile(SCHEMA_FILE, dumped);
    return;
  }
  const kept = await readFile(SCHEMA_FILE, 'utf8').catch(() => '');
  if (kept === dumped) return;
  const before = kept.split('\n');
  const at = dumped.split('\n').findIndex((line, n) => line !== before[n]);
  console.error(
    `sql/schema.sql differs from the migrations at line ${at + 1}: run \`node tools/dump-schema.ts\``,
  );
  process.exitCode = 1;
}

if (import.meta.main) await main();
