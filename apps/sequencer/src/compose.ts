import { spiffeId } from '@deadlatch/catalogue';
import {
  createHttpServer,
  createKeyRing,
  createNonceMemory,
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
import { startLeading } from './lead-log.ts';
import { logDatabase, logReader } from './log-database.ts';
import { SEQUENCER_LOG_EVENTS } from './log-events.ts';
import { logSigner, readLogTrust } from './log-trust.ts';
import { measureLog } from './measure-log.ts';
import { addLogRoutes } from './routes.ts';
import { openTileFiles } from './tile-files.ts';
import { createWitness } from './witness.ts';

/** Longer than a witness takes to write down what it cosigns. */
const WITNESS_TIMEOUT_MS = 3_000;
/** A witness is late after 60 s: several of these may fail. */
const HEARTBEAT_MS = 10_000;
/** The writer's own, and two for who reads. */
const CONNECTIONS = 3;

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
    service: 'sequencer',
    environment,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    random,
  });
  const logger = createLogger({
    service: 'sequencer',
    traceId: telemetry.tracing.traceId,
    level: settings.DEADLATCH_LOG_LEVEL,
    events: SEQUENCER_LOG_EVENTS,
    ...(write && { write }),
  });
  const pool = createPool({
    url: keyDir.secret('database-url').reveal(),
    applicationName: 'sequencer',
    maxConnections: CONNECTIONS,
    statementTimeoutMs: 30_000,
  });
  const files = openTileFiles(settings.LOG_DIR, () => Buffer.from(random(12)).toString('hex'));
  const tls = openServiceTls({
    mode: settings.DEADLATCH_MTLS,
    directory: settings.DEADLATCH_KEY_DIR,
    environment,
    service: 'sequencer',
    now,
  });
  const witness = createWitness(
    createServiceClient({
      service: 'sequencer',
      key: watchKey(signingKeyOf(keyDir, 'sequencer'), { now, logger }),
      baseUrl: settings.WITNESS_URL,
      audience: spiffeId(environment, 'witness'),
      fetch: createServiceFetch({ tls, peer: spiffeId(environment, 'witness'), fetch }),
      now,
      random,
      timeoutMs: WITNESS_TIMEOUT_MS,
      tracing: telemetry.tracing,
    }),
  );
  const trust = watchTrust({ read: () => keyDir.trust(), now });
  const readTrust = () => readLogTrust(trust);
  const reader = logReader(pool);
  const leader = startLeading({
    pool,
    database: logDatabase,
    files,
    witness,
    heartbeatMs: HEARTBEAT_MS,
    readTrust,
    readSigner: (pinned) => logSigner(() => keyDir.keyPair('log.pem'), pinned),
    logger,
  });
  const app = createHttpServer({
    service: 'sequencer',
    tls,
    logger,
    bodyLimitBytes: 1_024,
    ready: () => leader.check(),
    telemetry,
    hasMetrics: true,
  });
  measureLog(pool, telemetry.metrics);
  addLogRoutes(app, {
    files,
    reader,
    readTrust,
    audience: spiffeId(environment, 'sequencer'),
    keys: createKeyRing({ read: () => trust().services, now }),
    nonces: createNonceMemory({ now }),
    now,
  });
  const close = async () => {
    await app.close();
    await leader.stop();
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
