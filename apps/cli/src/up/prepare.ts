import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Installation } from './installation.ts';
import { runOperatorProgram } from './operator-program.ts';
import { DEMO_CONTACTS, DEMO_SITE, DEMO_STAFF } from './people.ts';
import { type Addresses, environmentOf } from './services.ts';
import { type StateDir, writeWhole } from './state-dir.ts';

/** One service's own program that the operator runs before, or beside, the service. */
interface Preparation {
  readonly service: 'vault' | 'identity';
  readonly input: unknown;
  /** What its result depends on; when none of it changed since the last time, the program is not run. */
  readonly dependsOn: unknown;
}

/** Begun all at once; each is awaited by whoever needs it. */
export interface Prepared {
  /** Everything. @throws StartError naming the service that refused */
  readonly all: Promise<void>;
}

/**
 * Runs the operator programs side by side: in the demo, what vault and identity must know of its people. All are
 * idempotent. Kept are digests of what they depend on, the database they wrote to included; no name or number.
 */
export async function prepare(
  state: StateDir,
  workspace: string,
  at: Addresses,
  installation: Installation,
  adminUrl: string,
): Promise<Prepared> {
  const database = await identityOf(adminUrl);
  const path = join(state.root, 'prepared.json');
  const before = await readStamps(path);
  const stamps = new Map<string, string>();
  const run = async ({ service, input, dependsOn }: Preparation) => {
    const stamp = createHash('sha256')
      .update(JSON.stringify([database, dependsOn]))
      .digest('base64url');
    if (before.get(service) !== stamp) {
      await runOperatorProgram(service, workspace, environmentOf(service, state, at, installation), input);
    }
    stamps.set(service, stamp);
  };
  const people = installation.profile === 'demo' ? enrolments(installation).map(run) : [];
  const all = Promise.all(people).then(() =>
    writeWhole(path, `${JSON.stringify(Object.fromEntries(stamps), null, 2)}\n`),
  );
  // Whoever awaits it hears of a failure; until then it must not end this process.
  all.catch(() => undefined);
  return { all };
}

function enrolments(installation: Installation): Preparation[] {
  const idOf = (slug: string) => installation.people[slug] ?? '';
  const staff = DEMO_STAFF.flatMap(({ slug, mailbox }) => (mailbox ? [{ slug, ...mailbox }] : []));
  const contacts = {
    contacts: [
      ...DEMO_CONTACTS.map(({ slug, name, phone, email }) => ({
        contact_id: idOf(slug),
        account_id: installation.accountId,
        name,
        phone,
        ...(email ? { email } : {}),
      })),
      // Of no customer's account: their names mask nobody's texts.
      ...staff.map(({ slug, ...data }) => ({
        contact_id: idOf(slug),
        account_id: installation.tenantId,
        ...data,
      })),
    ],
    account_values: [
      { account_id: installation.accountId, kind: 'address', value: DEMO_SITE.address },
      { account_id: installation.accountId, kind: 'site', value: DEMO_SITE.label },
    ],
  };
  const commitments = {
    commitments: [
      ...DEMO_CONTACTS.flatMap(({ slug, phone, email }) => [
        { tenant_id: installation.tenantId, contact_id: idOf(slug), kind: 'phone', value: phone },
        ...(email
          ? [{ tenant_id: installation.tenantId, contact_id: idOf(slug), kind: 'email', value: email }]
          : []),
      ]),
      ...staff.map(({ slug, email }) => ({
        tenant_id: installation.tenantId,
        contact_id: idOf(slug),
        kind: 'email',
        value: email,
      })),
    ],
  };
  return [
    { service: 'vault', input: contacts, dependsOn: contacts },
    { service: 'identity', input: commitments, dependsOn: commitments },
  ];
}

/** Names one database of one server: another one, or one that was made anew, has nothing of ours yet. */
async function identityOf(adminUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'deadlatch up' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select s.system_identifier || '/' || d.oid as name
         from pg_control_system() s, pg_database d where d.datname = current_database()`,
    );
    return rows[0]?.name ?? '';
  } finally {
    await client.end();
  }
}

async function readStamps(path: string): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map(Object.entries(JSON.parse(await readFile(path, 'utf8')) as Record<string, string>));
  } catch {
    return new Map();
  }
}
