import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Arguments, EXIT, StartError } from '../arguments.ts';
import { imagerCommandLine } from '../up/imager.ts';
import type { Installation } from '../up/installation.ts';
import { commandLine, PROCESSES, type ProcessName } from '../up/services.ts';
import { readDocument, type StateDir, stateDirAt } from '../up/state-dir.ts';
import { describeTls, examineTls, isTlsSound } from './examine-tls.ts';

const WORKSPACE = resolve(fileURLToPath(new URL('../../../../', import.meta.url)));

/**
 * Runs under the permissions of one process and tries what its code could try: list every key folder, list them from
 * a worker thread that was given options of its own, and start a program. Says what worked.
 */
const PROBE = `
const { readdirSync } = require('node:fs');
const list = (dirs) => dirs.filter((dir) => { try { readdirSync(dir); return true; } catch { return false; } });
const dirs = process.argv.slice(1);
const found = { direct: list(dirs), worker: [], starts_programs: false };
try { require('node:child_process').spawnSync(process.execPath, ['--version']); found.starts_programs = true; } catch {}
const done = () => process.stdout.write(JSON.stringify(found));
try {
  const { Worker } = require('node:worker_threads');
  const code = 'const { parentPort, workerData } = require("node:worker_threads"); const { readdirSync } = require("node:fs");'
    + 'const list = ' + list + '; parentPort.postMessage(list(workerData));';
  const worker = new Worker(code, { eval: true, execArgv: [], workerData: dirs });
  worker.once('message', (dirs) => { found.worker = dirs; });
  worker.once('error', () => {});
  worker.once('exit', done);
} catch { done(); }`;

/** All of them start at once. */
const PROBE_MS = 60_000;

interface Probed {
  readonly direct: readonly string[];
  readonly worker: readonly string[];
  readonly starts_programs: boolean;
}

/** What one process could reach if its code were somebody else's. */
export interface Finding {
  readonly process: string;
  /** Whether it is a service, with keys of its own. */
  readonly has_keys: boolean;
  readonly reads_own: boolean;
  /** Key folders of others, or the authority's (`ca`), that its permissions let it read. */
  readonly reads_others: readonly string[];
  /** Key folders of others that it reaches through a worker thread, past its permissions. */
  readonly reads_others_by_worker: readonly string[];
  readonly starts_programs: boolean;
}

/**
 * Processes whose own permission to use worker threads undoes the others: Node gives a worker that asks for its own
 * options no permission model. Named here so that a second one is noticed.
 */
const ESCAPES_BY_WORKER: readonly string[] = ['vault'];
/** Imager starts the decoder, one for each photo; whatever else it started would have no permission model. */
const STARTS_PROGRAMS: readonly string[] = ['imager'];

/**
 * `deadlatch doctor`: the isolation actually reached, tried and not assumed, and what TLS between the services does.
 * @returns 1 when a process reaches more than it is known to, or a certificate or a listener is not as it should be
 */
export async function doctor(args: Arguments): Promise<number> {
  const state = stateDirAt(args.stateDir);
  const services: readonly string[] = await readdir(state.keys, { withFileTypes: true }).then(
    (entries) => entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
    () => [],
  );
  if (services.length === 0) {
    throw new StartError(`There are no keys in ${state.root}. Start it once with npm start.`);
  }
  const findings = await Promise.all([
    ...PROCESSES.filter((name) => services.includes(name)).map((name) => examine(name, state, services)),
    ...examineImager(state, services),
  ]);
  const isAsKnown = findings.every(
    (f) =>
      f.reads_own === f.has_keys &&
      f.reads_others.length === 0 &&
      (!f.starts_programs || STARTS_PROGRAMS.includes(f.process)) &&
      (f.reads_others_by_worker.length === 0 || ESCAPES_BY_WORKER.includes(f.process)),
  );
  const { environment } = await readDocument<Installation>(state.installationFile);
  const certified = PROCESSES.filter((name) => name !== 'simulator' && services.includes(name));
  const place = {
    authority: state.authority,
    keys: state.keys,
    environment,
    services: [...certified, 'cli' as const],
  };
  const tls = await examineTls(place, args.stateDir, Date.now());
  const isTight = isAsKnown && findings.every((f) => f.reads_others_by_worker.length === 0);
  const report = { findings, is_as_known: isAsKnown, is_tight: isTight, user: systemUser(), tls };
  process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : describe(report) + describeTls(tls));
  return isAsKnown && isTlsSound(tls) ? EXIT.done : EXIT.failed;
}

function examine(name: ProcessName, state: StateDir, services: readonly string[]): Promise<Finding> {
  const flags = commandLine(name, state, WORKSPACE).filter((arg) => arg.startsWith('--'));
  return probe(name, [...flags, '--no-warnings', '-e', PROBE], state, services);
}

/** Imager, and the program under which it decodes one photo, each under what it is started with. */
function examineImager(state: StateDir, services: readonly string[]): readonly Promise<Finding>[] {
  const flags = imagerCommandLine(state, WORKSPACE).filter((arg) => arg.startsWith('--'));
  const asDecoder = join(WORKSPACE, 'apps/imager/src/examine-main.ts');
  return [
    probe('imager', [...flags, '--no-warnings', '-e', PROBE], state, services),
    probe('decoder', [...flags, '--no-warnings', asDecoder, PROBE], state, services),
  ];
}

async function probe(
  name: string,
  args: readonly string[],
  state: StateDir,
  services: readonly string[],
): Promise<Finding> {
  const folders = [...services.map((service) => join(state.keys, service)), state.authority];
  const { stdout } = await promisify(execFile)(process.execPath, [...args, ...folders], {
    timeout: PROBE_MS,
  }).catch((cause: { stderr?: string }) => {
    throw new StartError(`${name} could not be examined: ${cause.stderr?.trim() ?? ''}`, { cause });
  });
  const probed = JSON.parse(stdout) as Probed;
  const own = join(state.keys, name);
  const others = (dirs: readonly string[]) => dirs.filter((dir) => dir !== own).map((dir) => basename(dir));
  return {
    process: name,
    has_keys: services.includes(name),
    reads_own: probed.direct.includes(own),
    reads_others: others(probed.direct),
    reads_others_by_worker: others(probed.worker),
    starts_programs: probed.starts_programs,
  };
}

function systemUser(): string {
  return process.getuid?.() === 0 ? 'root' : 'the user who started it';
}

function describe(report: { readonly findings: readonly Finding[]; readonly user: string }): string {
  const lines = report.findings.map((f) => {
    const others = f.reads_others.length === 0 ? 'no other' : `ALSO ${f.reads_others.join(', ')}`;
    const keys = f.has_keys ? `own keys ${f.reads_own ? 'readable' : 'MISSING'}` : 'has no keys';
    const programs = f.starts_programs ? ', STARTS PROGRAMS' : '';
    const worker =
      f.reads_others_by_worker.length === 0
        ? ''
        : '; NOT ISOLATED: a worker thread with options of its own reads every key folder';
    return `${f.process.padEnd(13)} ${keys}, ${others}${programs}${worker}\n`;
  });
  const leaky = report.findings.filter((f) => f.reads_others_by_worker.length > 0).map((f) => f.process);
  return `${lines.join('')}
All processes run as one system user (${report.user}). What separates their files is the permission model of Node,
which is a fence for code that was not written to attack it, and not a sandbox. It does not restrict the network.
${leaky.length === 0 ? '' : `It does not hold for ${leaky.join(', ')}, which may start worker threads. Whoever runs code there has every key.\n`}Nor does it hold native code: a photo that takes the decoder over may read what the system user may. Photos are decoded
one by one, each in a program that is given nothing else and ends with it.
Separate system users or containers, one for each process, hold in every case.
`;
}
