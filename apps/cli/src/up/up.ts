import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { stopOrphan } from '@deadlatch/postgres';
import { type Arguments, EXIT, StartError } from '../arguments.ts';
import { makeSignInLinks } from '../demo-session.ts';
import { readOperatorKey } from '../operator-event.ts';
import { createPeers, type Peers } from '../peers.ts';
import type { RunFile } from '../run-file.ts';
import { bootstrap } from './bootstrap.ts';
import { ensureCertificates, keepCertificates } from './certificates.ts';
import { type Child, keepRunning, sleep } from './child.ts';
import { type Database, startDatabase } from './database.ts';
import { demandWholeLog } from './demand-whole-log.ts';
import { demandFreePorts, takenPorts } from './free-ports.ts';
import { imagerSocket, isImagerReady, startImager } from './imager.ts';
import { ensureInstallation, type Installation } from './installation.ts';
import { ensureKeys, type KeyHolder, keyDirectory } from './keys.ts';
import {
  DEMO_CONTACTS,
  DEMO_RESTORERS,
  DEMO_STAFF,
  DEMO_TECHNICIANS,
  rolesOfContact,
  STRANGER,
} from './people.ts';
import { prepare } from './prepare.ts';
import { putUpNotice, type RunNotice } from './run-notice.ts';
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
import { listenForStop, type ToldToStop } from './told-to-stop.ts';
import { buildConsole } from './web-client.ts';

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
const READY_WITHIN_MS = 45_000;
/** Longer than a service takes to close what is open. */
const LEFTOVERS_MS = 12_000;

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
  const lock = await lockStateDir(state);
  const stops: (() => Promise<unknown>)[] = [() => lock.release()];
  const stopping = listenForStop();
  try {
    await bringUp(args, { state, at, stops, stopping, isInherited: lock.isInherited, say });
    await stopping.told;
  } catch (error) {
    // Ctrl-C in a terminal reaches the programs of the start too; that they end then is no failure.
    if (!stopping.isTold) throw error;
  } finally {
    if (stopping.isTold) say('stopping');
    await stopAll(stops);
  }
  return EXIT.done;
}

interface Start {
  readonly state: StateDir;
  readonly at: Addresses;
  /** What has to be undone, in the order it was done. */
  readonly stops: (() => Promise<unknown>)[];
  readonly stopping: ToldToStop;
  /** Whether the supervisor before this one was killed. */
  readonly isInherited: boolean;
  readonly say: (line: string) => void;
}

/** @throws StartError; Stopped when it is told to stop half way. Either way `stops` holds what runs. */
async function bringUp(args: Arguments, start: Start): Promise<void> {
  const { state, at, stops, stopping, say } = start;
  const clock = phases();
  const installation = await ensureInstallation(state, args.profile);
  const names = processesOf(installation);
  if (start.isInherited) await clearAway(state, names, at, say);
  await demandFreePorts(names, at);
  const consoleBuild = buildConsole(WORKSPACE, say);
  stops.push(() => consoleBuild.abandon());
  const trust = await ensureKeys(
    state.keys,
    installation.environment,
    [...names, 'agent', 'cli'],
    Date.now(),
    keyHolders(state, installation),
  );
  const certified = {
    authority: state.authority,
    keys: state.keys,
    environment: installation.environment,
    services: [...names.filter((name) => name !== 'simulator'), 'cli' as const],
  };
  const certificates = ensureCertificates(certified, WORKSPACE);
  // Ctrl-C ends the issuer too; whoever waits for it hears of it, and until then it is nobody's.
  const issued = certificates.catch(() => undefined);
  stops.push(() => issued);
  clock.passed('keys');
  const board: { notice: RunNotice | undefined } = { notice: undefined };
  const republish = () => board.notice?.renew();
  const starting = startDatabase(state, at.port('postgres'), installation, say, republish);
  // Told to stop while it starts: it is waited for, so that nothing is left half made.
  stops.push(() =>
    starting.then(
      (database) => database.stop(),
      () => undefined,
    ),
  );
  const database = await stopping.unless(starting);
  clock.passed('database');
  await demandWholeLog(database.adminUrl, state, trust);
  await writeSecrets(state, at, installation, database);
  await bootstrap(database.adminUrl, installation, trust, await readOperatorKey(state.keys), Date.now());
  const prepared = await prepare(state, WORKSPACE, at, installation, database.adminUrl);
  stops.push(() => prepared.all.catch(() => undefined));
  await stopping.unless(certificates);
  const keeping = keepCertificates(certified, WORKSPACE, say);
  stops.push(() => keeping.stop());
  const children: Child[] = [];
  stops.push(() => Promise.all(children.map((child) => child.stop())));
  const imager = startImager(state, resolve(WORKSPACE), say, republish);
  stops.push(() => imager.stop());
  const launch = (name: ProcessName) =>
    children.push(startService(name, start, installation, args, republish));
  // It reads the console's files when it starts; all others need nothing of what is still being prepared.
  const waits: readonly ProcessName[] = ['web'];
  for (const name of names) if (!waits.includes(name)) launch(name);
  await stopping.unless(Promise.all([prepared.all, consoleBuild.done]));
  for (const name of waits) launch(name);
  clock.passed('preparation');
  const peers = createPeers({
    environment: installation.environment,
    keyDirectory: keyDirectory(state.keys, 'cli'),
    urlOf: (service) => at.url(service as ProcessName),
  });
  await stopping.unless(untilReady(children, peers, imager, state));
  clock.passed('services');
  const run = () => describe(state, at, installation, children, database, imager);
  const notice = await putUpNotice(state.runFile, run, say);
  board.notice = notice;
  stops.push(() => notice.takeDown());
  await welcome(state, run(), args.json, clock.read());
}

/** Undoes everything, last first. One that fails does not keep the others from being undone. */
async function stopAll(stops: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops.toReversed()) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Milliseconds each part of the start took. */
function phases(): {
  passed(name: string): void;
  read(): Readonly<Record<string, number>>;
} {
  const taken: Record<string, number> = {};
  let since = performance.now();
  return {
    passed(name) {
      const now = performance.now();
      taken[name] = Math.round(now - since);
      since = now;
    },
    read: () => taken,
  };
}

/** Elsewhere than in the demo people bring their own keys: `keys issue --person`. */
function keyHolders({ people }: StateDir, { profile }: Installation): KeyHolder[] {
  const names = profile === 'demo' ? DEMO_RESTORERS : [];
  return names.map((name) => ({ name, file: join(people, `${name}.pem`) }));
}

function processesOf({ profile }: Installation): ProcessName[] {
  return PROCESSES.filter((name) => profile === 'demo' || name !== 'simulator');
}

/**
 * Waits for what a supervisor that was killed left behind: its services end by themselves, its PostgreSQL does not.
 */
async function clearAway(
  state: StateDir,
  names: readonly ProcessName[],
  at: Addresses,
  say: (line: string) => void,
): Promise<void> {
  if (await stopOrphan(state.data)) say('stopped the PostgreSQL of an earlier start that was killed');
  const until = Date.now() + LEFTOVERS_MS;
  // An imager that ends takes its socket away, and would take that of the next one.
  const isLeft = async () => (await takenPorts(names, at)).length > 0 || (await isImagerReady(state));
  while (Date.now() < until && (await isLeft())) await sleep(100);
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
    ...DEMO_STAFF.flatMap(({ slug, label, mailbox }) =>
      mailbox ? [{ slug, label, email: mailbox.email }] : [],
    ),
    STRANGER,
  ];
  await writeWhole(join(keyDirectory(state.keys, 'simulator'), 'people.json'), JSON.stringify(people));
}

function startService(
  name: ProcessName,
  { state, at, say }: Start,
  installation: Installation,
  { otlpEndpoint, bucket }: Pick<Arguments, 'otlpEndpoint' | 'bucket'>,
  onRestart: () => void,
): Child {
  return keepRunning({
    name,
    command: process.execPath,
    args: commandLine(name, state, resolve(WORKSPACE)),
    env: environmentOf(name, state, at, installation, otlpEndpoint, bucket),
    // Its own folder: some libraries look for settings where they are started.
    cwd: join(resolve(WORKSPACE), 'apps', name),
    logFile: join(state.logs, `${name}.log`),
    onRestart,
    onUnexpectedExit: (who, code, signal) =>
      say(`${who} ended unexpectedly (${signal ?? `exit ${code}`}); starting it again`),
  });
}

async function untilReady(
  children: readonly Child[],
  peers: Peers,
  imager: Child,
  state: StateDir,
): Promise<void> {
  await Promise.all(
    [...children, imager].map(async (child) => {
      try {
        const isUp = () =>
          child === imager ? isImagerReady(state) : isReady(child.name as ProcessName, peers);
        await child.started(isUp, READY_WITHIN_MS);
      } catch (error) {
        throw new StartError(error instanceof Error ? error.message : `${child.name} did not start`);
      }
    }),
  );
}

async function isReady(name: ProcessName, peers: Peers): Promise<boolean> {
  try {
    const url = `${peers.urlOf(name)}/readyz`;
    return (await peers.fetchTo(name)(url, { signal: AbortSignal.timeout(1_000) })).ok;
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
  imager: Child,
): RunFile {
  const entry = (name: ServiceName, pid: number, urls: { url: string; internal_url?: string }) => [
    name,
    {
      pid,
      ...urls,
      spiffe_id: spiffeId(installation.environment, name),
      key_dir: keyDirectory(state.keys, name),
    },
  ];
  const person =
    <P extends { readonly slug: string; readonly label: string }>(
      kind: string,
      rolesOf: (person: P) => readonly string[],
    ) =>
    (p: P) => [p.slug, { kind, id: installation.people[p.slug] ?? '', label: p.label, roles: rolesOf(p) }];
  const isDemo = installation.profile === 'demo';
  return {
    environment: installation.environment,
    tenant_id: installation.tenantId,
    pid: process.pid,
    services: Object.fromEntries([
      ...children.map((child) =>
        entry(child.name as ServiceName, child.pid() ?? 0, urlsOf(child.name as ProcessName, at)),
      ),
      entry('cli', process.pid, { url: '' }),
    ]),
    postgres: { pid: database.pid(), port: at.port('postgres') },
    imager: { pid: imager.pid() ?? 0, socket: imagerSocket(state) },
    web_url: at.webPublic,
    identity_url: at.identityPublic,
    simulator_url: isDemo ? at.url('simulator') : null,
    subjects: isDemo
      ? Object.fromEntries([
          ...DEMO_CONTACTS.map(person('contact', rolesOfContact)),
          ...DEMO_STAFF.map(person('staff', ({ roles }) => roles)),
          ...DEMO_TECHNICIANS.map(person('technician', () => ['technician'])),
        ])
      : {},
    site_id: isDemo ? installation.siteId : null,
  };
}

function urlsOf(name: ProcessName, at: Addresses): { url: string; internal_url?: string } {
  const isBoth = name === 'identity' || name === 'gateway';
  return isBoth
    ? { url: `http://127.0.0.1:${at.port(name)}`, internal_url: at.url(name) }
    : { url: at.url(name) };
}

const BEGIN_HERE =
  '  Begin on a phone: text "front door won\'t lock, we close in an hour" as the store manager.';

/** What a newcomer sees: where to look, and one link for each demo person who uses the console. */
async function welcome(
  state: StateDir,
  run: RunFile,
  asJson: boolean,
  phasesMs: Readonly<Record<string, number>>,
): Promise<void> {
  const slugs = Object.entries(run.subjects).flatMap(([slug, { kind }]) =>
    kind === 'contact' ? [] : [slug],
  );
  const links = await makeSignInLinks(keyDirectory(state.keys, 'cli'), run, slugs);
  const signIn = Object.fromEntries(
    [...links].map(([slug, secret]) => [slug, `${run.web_url}/sign-in/${secret}`]),
  );
  if (asJson) {
    process.stdout.write(
      `${JSON.stringify({ web_url: run.web_url, simulator_url: run.simulator_url, sign_in: signIn, phases_ms: phasesMs })}\n`,
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
    ...(run.simulator_url ? ['', BEGIN_HERE] : []),
    '  Ctrl-C stops everything.',
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
