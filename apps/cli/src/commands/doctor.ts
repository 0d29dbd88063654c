import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Arguments, EXIT, StartError } from '../arguments.ts';
import { commandLine, PROCESSES, type ProcessName } from '../up/services.ts';
import { type StateDir, stateDirAt } from '../up/state-dir.ts';

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

interface Probed {
  readonly direct: readonly string[];
  readonly worker: readonly string[];
  readonly starts_programs: boolean;
}

/** What one process could reach if its code were somebody else's. */
export interface Finding {
  readonly process: string;
  readonly reads_own: boolean;
  /** Key folders of others that its permissions let it read. */
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

/**
 * `deadlatch doctor`: the isolation actually reached, tried and not assumed.
 * @returns 1 when a process reaches more than it is known to
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
  const findings = PROCESSES.filter((name) => services.includes(name)).map((name) =>
    examine(name, state, services),
  );
  const isAsKnown = findings.every(
    (f) =>
      f.reads_own &&
      f.reads_others.length === 0 &&
      !f.starts_programs &&
      (f.reads_others_by_worker.length === 0 || ESCAPES_BY_WORKER.includes(f.process)),
  );
  const isTight = isAsKnown && findings.every((f) => f.reads_others_by_worker.length === 0);
  const report = { findings, is_as_known: isAsKnown, is_tight: isTight, user: systemUser() };
  process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : describe(report));
  return isAsKnown ? EXIT.done : EXIT.failed;
}

function examine(name: ProcessName, state: StateDir, services: readonly string[]): Finding {
  const flags = commandLine(name, state, WORKSPACE).filter((arg) => arg.startsWith('--'));
  const folders = services.map((service) => join(state.keys, service));
  const result = spawnSync(process.execPath, [...flags, '--no-warnings', '-e', PROBE, ...folders], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (result.status !== 0) throw new StartError(`${name} could not be examined: ${result.stderr.trim()}`);
  const probed = JSON.parse(result.stdout) as Probed;
  const own = join(state.keys, name);
  const others = (dirs: readonly string[]) =>
    dirs.filter((dir) => dir !== own).map((dir) => dir.slice(state.keys.length + 1));
  return {
    process: name,
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
    const programs = f.starts_programs ? ', STARTS PROGRAMS' : '';
    const worker =
      f.reads_others_by_worker.length === 0
        ? ''
        : '; NOT ISOLATED: a worker thread with options of its own reads every key folder';
    return `${f.process.padEnd(13)} own keys ${f.reads_own ? 'readable' : 'MISSING'}, ${others}${programs}${worker}\n`;
  });
  const leaky = report.findings.filter((f) => f.reads_others_by_worker.length > 0).map((f) => f.process);
  return `${lines.join('')}
All processes run as one system user (${report.user}). What separates their files is the permission model of Node,
which is a fence for code that was not written to attack it, and not a sandbox. It does not restrict the network.
${leaky.length === 0 ? '' : `It does not hold for ${leaky.join(', ')}, which may start worker threads. Whoever runs code there has every key.\n`}Separate system users or containers, one for each process, hold in every case.
`;
}
