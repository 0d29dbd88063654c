import { createDispatchWorld, type DispatchWorld, freePort, type WorldOptions } from './dispatch-api.ts';
import { logProcesses } from './log-processes.ts';

/**
 * A world whose log is sequenced and witnessed, by the real processes: for tests that do acts of authority later than
 * a minute after their start, when without a witness there are none.
 */
export async function createWitnessedWorld(options: WorldOptions = {}): Promise<DispatchWorld> {
  const ports = { sequencer: await freePort(), witness: await freePort() };
  const world = await createDispatchWorld({ ...options, witnessUrl: `http://127.0.0.1:${ports.witness}` });
  const log = logProcesses(world, ports);
  await log.startWitness();
  await log.startSequencer();
  return {
    ...world,
    close: async () => {
      await log.close();
      await world.close();
    },
  };
}
