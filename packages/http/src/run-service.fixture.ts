import { createLogger } from '@deadlatch/telemetry';
import { runService } from './run-service.ts';

/** A service that never stops talking, and says something last of all. */
await runService(async () => {
  const logger = createLogger({ service: 'gateway', level: 'info' });
  const talk = () => logger.event('service.started', { port: 4360 });
  talk();
  const timer = setInterval(talk, 5);
  process.on('exit', talk);
  return {
    async close() {
      talk();
      clearInterval(timer);
    },
  };
});
