import { randomBytes } from 'node:crypto';
import { runService } from '@deadlatch/http';
import { systemClock } from '@deadlatch/kernel';
import { compose } from './compose.ts';
import { configOf } from './config.ts';
import { readServiceSettings } from './env.ts';

await runService(async () => {
  const config = configOf(readServiceSettings(process.env), systemClock);
  const identity = await compose(config, { now: systemClock, random: randomBytes, fetch: globalThis.fetch });
  try {
    await identity.pages.listen({ host: config.host, port: config.port });
    await identity.services.listen({ host: config.host, port: config.internalPort });
  } catch (error) {
    await identity.close();
    throw error;
  }
  return identity;
});
