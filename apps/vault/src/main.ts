import { randomBytes } from 'node:crypto';
import { runService } from '@deadlatch/http';
import { systemClock } from '@deadlatch/kernel';
import { compose } from './compose.ts';
import { configOf } from './config.ts';
import { readServiceSettings } from './env.ts';

await runService(async () => {
  const config = configOf(readServiceSettings(process.env), systemClock);
  const vault = await compose(config, { now: systemClock, random: randomBytes, fetch: globalThis.fetch });
  try {
    await vault.app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await vault.close();
    throw error;
  }
  return vault;
});
