import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { type Arguments, EXIT, StartError } from '../arguments.ts';
import { makeSignInLinks } from '../demo-session.ts';
import type { RunFile } from '../run-file.ts';
import { bootstrap } from './bootstrap.ts';
import { type Child, keepRunning } from './child.ts';
import { type Database, startDatabase } from './database.ts';
import { ensureInstallation, type Installation } from './installation.ts';
import { ensureKeys, keyDirectory } from './keys.ts';
import { runOperatorProgram } from './operator-program.ts';
import { DEMO_CONTACTS, DEMO_SITE, DEMO_STAFF, DEMO_TECHNICIANS, STRANGER } from './people.ts';
import {
  type Addresses,
  addresses,
  commandLine,
  environmentOf,
  PROCESSES,
  type ProcessName,
  ROLE_OF,
} from './services.ts';
import { lockStateDir, prepareStateDir, type StateDir, stateDirAt, writeWhole } from './state-dir.ts';
import { buildConsole } from './web-client.ts';

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
const READY_WITHIN_MS = 45_000;

/**
 * `deadlatch up`: everything on this machine, until it is told to stop.
 * @returns 0 after Ctrl-C or SIGTERM, when nothing of it runs any more
 * @throws StartError with one clear sentence
 */
export async function up(args: Arguments): Promise<number> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const state = stateDirAt(args.stateDir);
  const at = addresses(args.portBase);
  await prepareStateDir(state);
  const unlock = await lockStateDir(state);
  const stops: (() => Promise<unknown>)[] = [unlock];
  const stopped = untilToldToStop();
  try {
    const installation = await ensureInstallation(state, args.profile);
    const names = processesOf(installation);
    await demandFreePorts(names, at);
    const consoleBuilt = buildConsole(WORKSPACE, say);
    const trust = await ensureKeys(
      state.keys,
      installation.environment,
      [...names, 'agent', 'cli'],
      Date.now(),
    );
    const published: { run: (() => Promise<void>) | undefined } = { run: undefined };
    const republish = () => void published.run?.();
    const database = await startDatabase(state, at.port('postgres'), installation, say, republish);
    stops.push(() => database.stop());
    await writeSecrets(state, at, installation, database);
    await bootstrap(database.adminUrl, installation, trust, Date.now());
    await runOperatorProgram(
      'worker',
      'install-main',
      WORKSPACE,
      environmentOf('worker', state, at, installation),
      {
        admin_url: database.adminUrl,
      },
    );
    await enrolDemo(state, at, installation);
    await consoleBuilt;
    const children = startServices(names, state, at, installation, say, republish);
    stops.push(() => Promise.all(children.map((child) => child.stop())));
    await Promise.race([untilReady(children, at), stopped.then(() => undefined)]);
    const run = () => describe(state, at, installation, children, database);
    published.run = () => writeWhole(state.runFile, `${JSON.stringify(run(), null, 2)}\n`, 0o644);
    await published.run();
    stops.push(() => rm(state.runFile, { force: true }));
    await welcome(state, run(), args.json);
    await stopped;
    say('stopping');
    return EXIT.done;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function processesOf({ profile }: Installation): ProcessName[] {
  return PROCESSES.filter((name) => profile === 'demo' || name !== 'simulator');
}

function untilToldToStop(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done());
  });
}

/** Before anything is started, so that the sentence names every port at once. */
async function demandFreePorts(names: readonly ProcessName[], at: Addresses): Promise<void> {
  const wanted = [
    ...names,
    'postgres' as const,
    ...(names.includes('simulator') ? ['simulator-smtp' as const] : []),
  ];
  const taken: string[] = [];
  for (const name of wanted) {
    if (!(await isFree(at.port(name)))) taken.push(`${at.port(name)} (${name})`);
  }
  if (taken.length > 0) {
    throw new StartError(`In use by another program: port ${taken.join(', ')}. Free it, or use --port-base.`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => done(true)));
  });
}

/** Secrets that depend on this start: connections, the mail server, the simulator's people. */
async function writeSecrets(
  state: StateDir,
  at: Addresses,
  installation: Installation,
  database: Database,
): Promise<void> {
  for (const [service, role] of Object.entries(ROLE_OF)) {
    const url = database.urlOf(role.replace('deadlatch_', '') as Parameters<Database['urlOf']>[0]);
    await writeWhole(join(keyDirectory(state.keys, service as ServiceName), 'database-url'), url);
  }
  const smtp = `smtp://127.0.0.1:${at.port('simulator-smtp')}`;
  await writeWhole(join(keyDirectory(state.keys, 'identity'), 'smtp-url'), smtp);
  if (installation.profile !== 'demo') return;
  const people = [
    ...DEMO_CONTACTS.map(({ slug, label, phone, email }) => ({
      slug,
      label,
      phone,
      ...(email ? { email } : {}),
    })),
    STRANGER,
  ];
  await writeWhole(join(keyDirectory(state.keys, 'simulator'), 'people.json'), JSON.stringify(people));
}

/** Enrolling is idempotent: the services keep one record per contact and kind. */
async function enrolDemo(state: StateDir, at: Addresses, installation: Installation): Promise<void> {
  if (installation.profile !== 'demo') return;
  const idOf = (slug: string) => installation.people[slug] ?? '';
  await runOperatorProgram(
    'vault',
    'enrol-main',
    WORKSPACE,
    environmentOf('vault', state, at, installation),
    {
      contacts: DEMO_CONTACTS.map(({ slug, name, phone, email }) => ({
        contact_id: idOf(slug),
        account_id: installation.accountId,
        name,
        phone,
        ...(email ? { email } : {}),
      })),
      account_values: [
        { account_id: installation.accountId, kind: 'address', value: DEMO_SITE.address },
        { account_id: installation.accountId, kind: 'site', value: DEMO_SITE.label },
      ],
    },
  );
  await runOperatorProgram(
    'identity',
    'enrol-main',
    WORKSPACE,
    environmentOf('identity', state, at, installation),
    {
      commitments: DEMO_CONTACTS.flatMap(({ slug, phone, email }) => [
        { tenant_id: installation.tenantId, contact_id: idOf(slug), kind: 'phone', value: phone },
        ...(email
          ? [{ tenant_id: installation.tenantId, contact_id: idOf(slug), kind: 'email', value: email }]
          : []),
      ]),
    },
  );
}

function startServices(
  names: readonly ProcessName[],
  state: StateDir,
  at: Addresses,
  installation: Installation,
  say: (line: string) => void,
  onRestart: () => void,
): Child[] {
  return names.map((name) =>
    keepRunning({
      name,
      command: process.execPath,
      args: commandLine(name, state, resolve(WORKSPACE)),
      env: environmentOf(name, state, at, installation),
      // Its own folder: some libraries look for settings where they are started.
      cwd: join(resolve(WORKSPACE), 'apps', name),
      logFile: join(state.logs, `${name}.log`),
      onRestart,
      onUnexpectedExit: (who, code, signal) =>
        say(`${who} ended unexpectedly (${signal ?? `exit ${code}`}); starting it again`),
    }),
  );
}

async function untilReady(children: readonly Child[], at: Addresses): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      try {
        await child.started(() => isReady(at.url(child.name as ProcessName)), READY_WITHIN_MS);
      } catch (error) {
        throw new StartError(error instanceof Error ? error.message : `${child.name} did not start`);
      }
    }),
  );
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

function describe(
  state: StateDir,
  at: Addresses,
  installation: Installation,
  children: readonly Child[],
  database: Database,
): RunFile {
  const entry = (name: ServiceName, pid: number, url: string) => [
    name,
    {
      pid,
      url,
      spiffe_id: spiffeId(installation.environment, name),
      key_dir: keyDirectory(state.keys, name),
    },
  ];
  const person = (kind: string) => (p: { readonly slug: string; readonly label: string }) => [
    p.slug,
    { kind, id: installation.people[p.slug] ?? '', label: p.label },
  ];
  const isDemo = installation.profile === 'demo';
  return {
    environment: installation.environment,
    tenant_id: installation.tenantId,
    pid: process.pid,
    services: Object.fromEntries([
      ...children.map((child) =>
        entry(child.name as ServiceName, child.pid() ?? 0, at.url(child.name as ProcessName)),
      ),
      entry('cli', process.pid, ''),
    ]),
    postgres: { pid: database.pid(), port: at.port('postgres') },
    web_url: at.webPublic,
    identity_url: at.identityPublic,
    simulator_url: isDemo ? at.url('simulator') : null,
    subjects: isDemo
      ? Object.fromEntries([
          ...DEMO_CONTACTS.map(person('contact')),
          ...DEMO_STAFF.map(person('staff')),
          ...DEMO_TECHNICIANS.map(person('technician')),
        ])
      : {},
    site_id: isDemo ? installation.siteId : null,
  };
}

/** What a newcomer sees: where to look, and one link for each demo person who uses the console. */
async function welcome(state: StateDir, run: RunFile, asJson: boolean): Promise<void> {
  const slugs = Object.entries(run.subjects).flatMap(([slug, { kind }]) =>
    kind === 'contact' ? [] : [slug],
  );
  const links = await makeSignInLinks(keyDirectory(state.keys, 'cli'), run, slugs);
  const signIn = Object.fromEntries(
    [...links].map(([slug, secret]) => [slug, `${run.web_url}/sign-in/${secret}`]),
  );
  if (asJson) {
    process.stdout.write(
      `${JSON.stringify({ web_url: run.web_url, simulator_url: run.simulator_url, sign_in: signIn })}\n`,
    );
    return;
  }
  const lines = [
    '',
    '  Deadlatch is running.',
    '',
    ...(run.simulator_url ? [`  Phones and mailboxes   ${run.simulator_url}`] : []),
    `  Console                ${run.web_url}`,
    '',
    ...(slugs.length > 0 ? ['  Sign in as (each link works once):'] : []),
    ...slugs.map((slug) => `    ${slug.padEnd(18)} ${signIn[slug]}`),
    '',
    '  Begin on a phone: text "front door won\'t lock, we close in an hour" as the store manager.',
    '  Ctrl-C stops everything.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
