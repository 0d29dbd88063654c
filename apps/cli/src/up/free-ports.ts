import { createServer } from 'node:net';
import { StartError } from '../arguments.ts';
import { type Addresses, type ProcessName, portsOf } from './services.ts';

/**
 * Before anything is started, so that the sentence names every port at once.
 * @throws StartError
 */
export async function demandFreePorts(names: readonly ProcessName[], at: Addresses): Promise<void> {
  const taken = await takenPorts(names, at);
  if (taken.length > 0) {
    throw new StartError(`In use by another program: port ${taken.join(', ')}. Free it, or use --port-base.`);
  }
}

/** Those of them on which something listens, each with the process it is for. */
export async function takenPorts(names: readonly ProcessName[], at: Addresses): Promise<string[]> {
  const wanted = [...names.flatMap(portsOf), 'postgres' as const];
  const taken: string[] = [];
  for (const name of wanted) {
    if (!(await isFree(at.port(name)))) taken.push(`${at.port(name)} (${name})`);
  }
  return taken;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => done(true)));
  });
}
