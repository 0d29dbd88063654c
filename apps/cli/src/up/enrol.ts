import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ServiceName } from '@deadlatch/catalogue';
import { StartError } from '../arguments.ts';

/**
 * Hands personal data to the service that keeps it, through that service's own program and on its standard input:
 * the supervisor never encrypts, and nothing personal touches the disk on the way.
 * @throws StartError when the program refuses
 */
export async function enrol(
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
  if (code !== 0) throw new StartError(`${service} did not take its first records: ${said.trim()}`);
}
