import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program and its arguments. */
export interface DecoderCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Kibibytes of memory that one picture may take, the program itself included: 60 million pixels turned by a quarter
 * need 180 MB, several times over while they are coded.
 */
const MEMORY_KIB = 1_500_000;
/** More than imager lets it have: for the one whose imager was killed, which nobody else would end. */
const CPU_SECONDS = 40;

/**
 * How a program for one picture is started: native code may be loaded, and on the disk only our own code can be read.
 * The shell is there for what node cannot do for itself: it bounds its memory and its time, and forgets the permissions of the
 * process that started it, which node hands on in the environment.
 * @param runs what it runs, and with which arguments
 * @invariant it is given no path, no address and no secret: bytes come in, bytes go out
 */
export function decoderCommand(workspace: string, runs: readonly string[]): DecoderCommand {
  const reads = ['node_modules', 'apps/imager'];
  return {
    program: '/bin/sh',
    args: [
      '-c',
      `unset NODE_OPTIONS; ulimit -d ${MEMORY_KIB} && ulimit -t ${CPU_SECONDS} && ulimit -c 0 && exec "$0" "$@"`,
      process.execPath,
      '--permission',
      // The decoders are native code.
      '--allow-addons',
      '--no-warnings',
      '--max-semi-space-size=2',
      ...reads.map((path) => `--allow-fs-read=${join(workspace, path)}`),
      ...runs,
    ],
  };
}

/** The program itself; after it come the content type of the picture and its limits. */
export const DECODER_MAIN: string = fileURLToPath(new URL('decoder-main.ts', import.meta.url));
