import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Arguments, EXIT } from '../arguments.ts';
import { commandLine, PROCESSES, type ProcessName } from '../up/services.ts';
import { stateDirAt } from '../up/state-dir.ts';

const WORKSPACE = resolve(fileURLToPath(new URL('../../../../', import.meta.url)));

/** Tries to read every key folder under the permissions of one process; answers the folders it could read. */
const PROBE = `
const fs = require('node:fs');
const open = [];
for (const dir of process.argv.slice(1)) { try { fs.readdirSync(dir); open.push(dir); } catch {} }
process.stdout.write(JSON.stringify(open));`;

/**
 * `deadlatch doctor`: the isolation actually reached, tried and not assumed.
 * @returns 1 when any process could read a key folder that is not its own
 */
export async function doctor(args: Arguments): Promise<number> {
  const state = stateDirAt(args.stateDir);
  const services: readonly string[] = await readdir(state.keys, { withFileTypes: true }).then(
    (entries) => entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
    () => [],
  );
  const folders = services.map((name) => join(state.keys, name));
  const findings = PROCESSES.filter((name) => services.includes(name)).map((name) => ({
    process: name,
    reads_own: readable(name, state, folders).includes(join(state.keys, name)),
    reads_others: readable(name, state, folders)
      .filter((dir) => dir !== join(state.keys, name))
      .map((dir) => dir.slice(state.keys.length + 1)),
  }));
  const isTight = findings.length > 0 && findings.every((f) => f.reads_own && f.reads_others.length === 0);
  if (args.json) process.stdout.write(`${JSON.stringify({ findings, is_tight: isTight })}\n`);
  else {
    for (const f of findings) {
      const others = f.reads_others.length === 0 ? 'no other' : `ALSO ${f.reads_others.join(', ')}`;
      process.stdout.write(
        `${f.process.padEnd(13)} own keys ${f.reads_own ? 'readable' : 'MISSING'}, ${others}\n`,
      );
    }
    process.stdout.write(
      process.getuid?.() === 0 || findings.length > 0
        ? 'All processes run as one system user; what separates them is the permission model of Node.\n'
        : 'There are no keys yet.\n',
    );
  }
  return isTight ? EXIT.done : EXIT.failed;
}

function readable(
  name: ProcessName,
  state: ReturnType<typeof stateDirAt>,
  folders: readonly string[],
): string[] {
  const flags = commandLine(name, state, WORKSPACE).filter((arg) => arg.startsWith('--'));
  const result = spawnSync(process.execPath, [...flags, '-e', PROBE, ...folders], { encoding: 'utf8' });
  return result.status === 0 ? (JSON.parse(result.stdout) as string[]) : [];
}
