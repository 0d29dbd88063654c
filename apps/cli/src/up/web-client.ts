import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../arguments.ts';

/** A build that runs. */
export interface ConsoleBuild {
  /** @throws StartError with the last words of the build */
  readonly done: Promise<void>;
  /** Ends it where it is. The next start builds again. */
  abandon(): Promise<void>;
}

/** Builds the console's client when its sources differ from the last build. */
export function buildConsole(workspace: string, say: (line: string) => void): ConsoleBuild {
  if (!existsSync(join(workspace, 'apps/web/dist/build-hash.txt')))
    say('building the console (first start only)');
  const child = spawn(process.execPath, [join(workspace, 'apps/web/build.ts')], {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const done = ended.then((code) => {
    if (code !== 0) throw new StartError(`The console could not be built: ${lastSentence(said)}`);
  });
  // It is awaited later; until then a failure must not end this process.
  done.catch(() => undefined);
  return {
    done,
    async abandon() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The line of an error that says what it is; the rest of a stack trace helps nobody at a terminal. */
function lastSentence(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const said = lines.find((line) => /^(\[\S+\] )?\S*error\S*:? /i.test(line));
  return said ?? lines.filter((line) => line !== '').at(-1) ?? 'it ended without a word';
}
