import { randomBytes } from 'node:crypto';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createHttpServer, createServiceClient, openKeyDirectory, type Running } from '@deadlatch/http';
import { systemClock } from '@deadlatch/kernel';
import { createPool } from '@deadlatch/postgres';
import { createLogger } from '@deadlatch/telemetry';
import type { Settings } from './env.ts';
import { startQueue } from './queue.ts';
import { createTasks } from './tasks.ts';

/** A turn may take several steps, each of which waits for the database. */
const PEER_TIMEOUT_MS = 30_000;
const CONNECTIONS = 6;

/** Constructs the whole service; the only place that does. */
export async function compose(settings: Settings): Promise<Running> {
  const environment = settings.DEADLATCH_ENVIRONMENT;
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const key = keyDir.signingKey();
  const logger = createLogger({ service: 'worker', level: settings.DEADLATCH_LOG_LEVEL });
  const pool = createPool({
    url: keyDir.secret('database-url').reveal(),
    applicationName: 'worker',
    maxConnections: CONNECTIONS,
    statementTimeoutMs: 30_000,
  });
  const peer = (service: ServiceName, baseUrl: string) =>
    createServiceClient({
      service: 'worker',
      key,
      baseUrl,
      audience: spiffeId(environment, service),
      fetch: globalThis.fetch,
      now: systemClock,
      random: (n) => randomBytes(n),
      timeoutMs: PEER_TIMEOUT_MS,
    });
  const tasks = createTasks(
    {
      gateway: peer('gateway', settings.GATEWAY_URL),
      agent: peer('agent', settings.AGENT_URL),
      dispatchApi: peer('dispatch-api', settings.DISPATCH_API_URL),
    },
    (kind, code, attempts) => logger.event('outbox.retry', { kind, code, attempts }),
  );
  const queue = await startQueue({ pool, tasks, logger });
  const app = createHttpServer({
    service: 'worker',
    logger,
    bodyLimitBytes: 1_024,
    ready: () => queue.check(),
  });
  await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return {
    async close() {
      await app.close();
      await queue.stop();
      await pool.end();
    },
  };
}
