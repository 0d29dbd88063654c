import { createLogger } from '@deadlatch/telemetry';
import { runService } from './run-service.ts';

/** A service that speaks once, and again when it is told to end: its last lines are what nobody reads. */
await runService(async () => {
  const logger = createLogger({ service: 'gateway', level: 'info' });
  const talk = () => logger.event('service.started', { port: 4360 });
  talk();
  return {
    async close() {
      talk();
      talk();
    },
  };
});
