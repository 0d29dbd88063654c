import { request } from 'node:http';
import { join } from 'node:path';
import { StartError } from '../arguments.ts';
import { type Child, keepRunning } from './child.ts';
import type { StateDir } from './state-dir.ts';

/** The kernel's own limit for the name of a socket, less the byte at its end. */
const LONGEST_SOCKET_NAME = 103;
const ANSWERS_WITHIN_MS = 1_000;

/** Where imager listens. @throws StartError when the state directory's name is too long for a socket in it */
export function imagerSocket(state: StateDir): string {
  const path = join(state.imager, 'imager.sock');
  if (Buffer.byteLength(path) > LONGEST_SOCKET_NAME) {
    throw new StartError(
      `The path ${path} is too long for a socket (${LONGEST_SOCKET_NAME} bytes). Use a shorter --state-dir.`,
    );
  }
  return path;
}

export function imagerEnvironment(state: StateDir): Record<string, string> {
  return { IMAGER_SOCKET: imagerSocket(state), MALLOC_ARENA_MAX: '2' };
}

/**
 * How imager is started: it reads the code and no key, and may start the program that decodes one picture. It writes
 * where its socket is, and decodes nothing itself.
 */
export function imagerCommandLine(state: StateDir, workspace: string): string[] {
  const reads = ['node_modules', 'packages', 'apps/imager', 'package.json'];
  return [
    '--max-semi-space-size=2',
    '--permission',
    '--allow-child-process',
    ...[...reads.map((path) => join(workspace, path)), state.imager].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${state.imager}`,
    join(workspace, 'apps', 'imager', 'src', 'main.ts'),
  ];
}

/** Starts imager and keeps it running. It is no service: it has no key, no name, no port and no database. */
export function startImager(
  state: StateDir,
  workspace: string,
  say: (line: string) => void,
  onRestart: () => void,
): Child {
  return keepRunning({
    name: 'imager',
    command: process.execPath,
    args: imagerCommandLine(state, workspace),
    env: imagerEnvironment(state),
    cwd: join(workspace, 'apps', 'imager'),
    logFile: join(state.logs, 'imager.log'),
    onRestart,
    onUnexpectedExit: (who, code, signal) =>
      say(`${who} ended unexpectedly (${signal ?? `exit ${code}`}); starting it again`),
  });
}

/** Whether it answers. */
export function isImagerReady(state: StateDir): Promise<boolean> {
  return new Promise((done) => {
    const asked = request({
      socketPath: imagerSocket(state),
      path: '/readyz',
      signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
    });
    asked.once('response', (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    });
    asked.once('error', () => done(false));
    asked.end();
  });
}
