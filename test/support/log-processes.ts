import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compose as composeSequencer } from '../../apps/sequencer/src/compose.ts';
import { readSettings as readSequencerSettings } from '../../apps/sequencer/src/env.ts';
import { compose as composeWitness } from '../../apps/witness/src/compose.ts';
import { readSettings as readWitnessSettings } from '../../apps/witness/src/env.ts';
import { type DispatchWorld, ENVIRONMENT } from './dispatch-api.ts';

/** The real sequencer and the real witness of a world, each running or not. */
export interface LogProcesses {
  startSequencer(): Promise<void>;
  startWitness(): Promise<void>;
  stopSequencer(): Promise<void>;
  stopWitness(): Promise<void>;
  /** Ends both. */
  close(): Promise<void>;
}

interface Running {
  close(): Promise<void>;
}

/** @param ports that were kept for them: the world's dispatch-api was told where the witness will be */
export function logProcesses(
  world: Pick<DispatchWorld, 'stateDir' | 'database'>,
  ports: { readonly sequencer: number; readonly witness: number },
): LogProcesses {
  const keyDirectory = (service: string) => join(world.stateDir, 'keys', service);
  const environment = (service: 'sequencer' | 'witness') => ({
    DEADLATCH_ENVIRONMENT: ENVIRONMENT,
    DEADLATCH_KEY_DIR: keyDirectory(service),
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(ports[service]),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'error',
    SEQUENCER_URL: `http://127.0.0.1:${ports.sequencer}`,
    WITNESS_URL: `http://127.0.0.1:${ports.witness}`,
    LOG_DIR: join(world.stateDir, 'log'),
    WITNESS_DIR: join(world.stateDir, 'witness'),
  });
  const outside = { now: Date.now, random: (n: number) => randomBytes(n), fetch, write: () => undefined };
  let sequencer: Running | undefined;
  let witness: Running | undefined;
  const stopSequencer = async () => {
    await sequencer?.close();
    sequencer = undefined;
  };
  const stopWitness = async () => {
    await witness?.close();
    witness = undefined;
  };
  return {
    startSequencer: async () => {
      await writeFile(join(keyDirectory('sequencer'), 'database-url'), world.database.urls.sequencer);
      sequencer = await composeSequencer(readSequencerSettings(environment('sequencer')), outside);
    },
    startWitness: async () => {
      const steady = () => performance.now();
      witness = await composeWitness(readWitnessSettings(environment('witness')), { ...outside, steady });
    },
    stopSequencer,
    stopWitness,
    close: async () => {
      await stopSequencer();
      await stopWitness();
    },
  };
}
