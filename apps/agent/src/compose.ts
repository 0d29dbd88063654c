import { spiffeId } from '@deadlatch/catalogue';
import {
  createHttpServer,
  createKeyRing,
  createNonceMemory,
  createServiceFetch,
  openKeyDirectory,
  openServiceTls,
  type Running,
  watchTrust,
} from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import type { Settings } from './env.ts';
import { scriptedPlanner } from './planner/scripted.ts';
import { runTurn } from './run-turn.ts';
import { withToolClient } from './tool-client.ts';
import { addWakeRoute } from './wake.ts';

const BODY_LIMIT_BYTES = 16 * 1024;

/** What the service takes from the world around it. */
export interface World {
  readonly now: Clock;
  /** returns exactly `n` random bytes */
  readonly random: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** takes one line of the log; standard output unless told */
  readonly write?: (line: string) => void;
}

/**
 * Constructs the whole service; the only place that does. It holds no signing key, no database connection and no
 * personal data: a turn grant, for ten minutes, is all it ever has.
 */
export async function compose(settings: Settings, { now, random, fetch, write }: World): Promise<Running> {
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const trust = watchTrust({ read: keyDir.trust, now });
  const telemetry = createTelemetry({
    service: 'agent',
    environment: settings.DEADLATCH_ENVIRONMENT,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    random,
  });
  const { tracing } = telemetry;
  const logger = createLogger({
    service: 'agent',
    traceId: tracing.traceId,
    level: settings.DEADLATCH_LOG_LEVEL,
    ...(write && { write }),
  });
  const keys = createKeyRing({ read: () => keyDir.trust().services, now });
  const tls = openServiceTls({
    mode: settings.DEADLATCH_MTLS,
    directory: settings.DEADLATCH_KEY_DIR,
    environment: settings.DEADLATCH_ENVIRONMENT,
    service: 'agent',
    now,
  });
  const bridgeFetch = createServiceFetch({
    tls,
    peer: spiffeId(settings.DEADLATCH_ENVIRONMENT, 'tool-bridge'),
    fetch,
  });
  const app = createHttpServer({
    service: 'agent',
    tls,
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    ready: async () => void (await keys.current()),
    telemetry,
    hasMetrics: true,
  });
  addWakeRoute(app, {
    gate: {
      audience: spiffeId(settings.DEADLATCH_ENVIRONMENT, 'agent'),
      keys,
      now,
      nonces: createNonceMemory({ now }),
    },
    grantKeys: () => trust().grantKeys,
    now,
    play: (turnGrant) =>
      withToolClient(
        { bridgeUrl: settings.TOOL_BRIDGE_URL, turnGrant, fetch: bridgeFetch, tracing },
        (tools) => runTurn(tools, scriptedPlanner, now),
      ),
    logger,
    tracing,
  });
  await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return {
    async close() {
      await app.close();
      await telemetry.close();
    },
  };
}
