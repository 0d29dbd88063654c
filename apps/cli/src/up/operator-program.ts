import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ServiceName } from '@deadlatch/catalogue';
import { StartError } from '../arguments.ts';

/**
 * Runs a service's own operator program with its input on standard input: what only that service may do (encrypt)
 * is done by its code under its role, and nothing personal or secret touches the disk on the way.
 * @throws StartError when the program refuses
 */
export async function runOperatorProgram(
  service: ServiceName,
  workspace: string,
  env: Readonly<Record<string, string>>,
  input: unknown,
): Promise<void> {
  const main = join(workspace, 'apps', service, 'src', 'enrol-main.ts');
  const child = spawn(process.execPath, [main], {
    cwd: workspace,
    env: { ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-1_000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(input));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new StartError(`${service} could not be prepared: ${said.trim()}`);
}
