import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../arguments.ts';

/** Builds the console's client when its sources differ from the last build. @throws StartError */
export async function buildConsole(workspace: string, say: (line: string) => void): Promise<void> {
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
  const code = await new Promise<number | null>((done) => child.once('close', done));
  if (code !== 0) throw new StartError(`The console could not be built: ${said.trim()}`);
}
