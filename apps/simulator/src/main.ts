import { randomBytes } from 'node:crypto';
import { runService } from '@deadlatch/http';
import { startSimulator } from './compose.ts';
import { loadSimulatorConfig } from './config.ts';

await runService(() => {
  const { config, carrierToken } = loadSimulatorConfig(process.env);
  return startSimulator(config, {
    carrierToken: () => carrierToken.reveal(),
    now: Date.now,
    randomBytes,
    fetch,
  });
});
