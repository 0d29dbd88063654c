import { randomBytes } from 'node:crypto';
import { runService } from '@deadlatch/http';
import { startGateway } from './compose.ts';
import { loadGatewayConfig } from './config.ts';

await runService(() => {
  const { config, secrets } = loadGatewayConfig(process.env);
  return startGateway(config, secrets, { now: Date.now, randomBytes, fetch });
});
