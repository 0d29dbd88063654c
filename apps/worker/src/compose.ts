import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  createHttpServer,
  createReceiptCourier,
  createServiceClient,
  createServiceFetch,
  openKeyDirectory,
  openServiceTls,
  type Running,
  signingKeyOf,
  watchKey,
  watchTrust,
} from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import { createPool } from '@deadlatch/postgres';
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import type { Settings } from './env.ts';
import { startLeading } from './leader.ts';
import { measureWaiting } from './measure-waiting.ts';
import { createTasks } from './tasks.ts';

/** A turn may take several steps, each of which waits for the database. */
const PEER_TIMEOUT_MS = 30_000;
/** The lock, the look for work, and what was done that has to be written down. */
const CONNECTIONS = 6;

/** What the service takes from the world around it. */
export interface World {
  readonly now: Clock;
  /** returns exactly `n` random bytes */
  readonly random: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** takes one line of the log; standard output unless told */
  readonly write?: (line: string) => void;
}

/** Constructs the whole service; the only place that does. */
export async function compose(settings: Settings, world: World): Promise<Running> {
  const environment = settings.DEADLATCH_ENVIRONMENT;
  const { now, random, fetch, write } = world;
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const telemetry = createTelemetry({
    service: 'worker',
    environment,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    random,
  });
  const logger = createLogger({
    service: 'worker',
    traceId: telemetry.tracing.traceId,
    level: settings.DEADLATCH_LOG_LEVEL,
    ...(write && { write }),
  });
  const pool = createPool({
    url: keyDir.secret('database-url').reveal(),
    applicationName: 'worker',
    maxConnections: CONNECTIONS,
    statementTimeoutMs: 30_000,
  });
  const key = watchKey(signingKeyOf(keyDir, 'worker'), { now, logger });
  const tls = openServiceTls({
    mode: settings.DEADLATCH_MTLS,
    directory: settings.DEADLATCH_KEY_DIR,
    environment,
    service: 'worker',
    now,
  });
  const peer = (service: ServiceName, baseUrl: string) =>
    createServiceClient({
      service: 'worker',
      key,
      baseUrl,
      audience: spiffeId(environment, service),
      fetch: createServiceFetch({ tls, peer: spiffeId(environment, service), fetch }),
      now,
      random,
      timeoutMs: PEER_TIMEOUT_MS,
      tracing: telemetry.tracing,
    });
  const courier = createReceiptCourier({
    witness: peer('witness', settings.WITNESS_URL),
    environment,
    trust: watchTrust({ read: keyDir.trust, now }),
    logger,
  });
  const perform = createTasks(
    {
      gateway: peer('gateway', settings.GATEWAY_URL),
      agent: peer('agent', settings.AGENT_URL),
      dispatchApi: courier.accompany(peer('dispatch-api', settings.DISPATCH_API_URL)),
    },
    now,
  );
  const leader = startLeading({ pool, perform, logger, telemetry });
  const app = createHttpServer({
    service: 'worker',
    tls,
    logger,
    bodyLimitBytes: 1_024,
    ready: () => leader.check(),
    telemetry,
    hasMetrics: true,
  });
  measureWaiting(pool, telemetry.metrics);
  const close = async () => {
    await app.close();
    await leader.stop();
    await courier.close();
    await pool.end();
    await telemetry.close();
  };
  try {
    await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  } catch (error) {
    await close();
    throw error;
  }
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return { close };
}
