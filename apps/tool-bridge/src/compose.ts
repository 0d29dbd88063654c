import { spiffeId } from '@deadlatch/catalogue';
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
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import type { Settings } from './env.ts';
import { addMcpRoute } from './mcp-route.ts';
import { createTurnBudget } from './turn-budget.ts';
import { createTurnTokens } from './turn-tokens.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const PEER_TIMEOUT_MS = 8_000;
/** A turn of the longest procedure makes about 15 calls; it may be played again after a crash. */
const CALLS_PER_TURN = 40;
/** Every step lists the tools as well, and every connection begins with a question of its own. */
const REQUESTS_PER_TURN = 120;

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
  const trust = watchTrust({ read: keyDir.trust, now });
  const telemetry = createTelemetry({
    service: 'tool-bridge',
    environment,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    random,
  });
  const logger = createLogger({
    service: 'tool-bridge',
    traceId: telemetry.tracing.traceId,
    level: settings.DEADLATCH_LOG_LEVEL,
    ...(write && { write }),
  });
  const key = watchKey(signingKeyOf(keyDir, 'tool-bridge'), { now, logger });
  const tls = openServiceTls({
    mode: settings.DEADLATCH_MTLS,
    directory: settings.DEADLATCH_KEY_DIR,
    environment,
    service: 'tool-bridge',
    now,
  });
  const client = (service: 'dispatch-api' | 'identity' | 'witness', baseUrl: string) =>
    createServiceClient({
      service: 'tool-bridge',
      key,
      baseUrl,
      audience: spiffeId(environment, service),
      fetch: createServiceFetch({ tls, peer: spiffeId(environment, service), fetch }),
      now,
      random,
      timeoutMs: PEER_TIMEOUT_MS,
      tracing: telemetry.tracing,
    });
  const identity = client('identity', settings.IDENTITY_URL);
  const witness = client('witness', settings.WITNESS_URL);
  const courier = createReceiptCourier({ witness, environment, trust, logger });
  const app = createHttpServer({
    service: 'tool-bridge',
    tls,
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    // It depends on its keys alone to start; peers that are away make single calls fail, not the process.
    ready: async () => void trust(),
    telemetry,
    hasMetrics: true,
  });
  addMcpRoute(app, {
    host: new URL(settings.TOOL_BRIDGE_URL).host,
    grantKeys: () => trust().grantKeys,
    grantAudience: spiffeId(environment, 'identity'),
    now,
    tokens: createTurnTokens({
      mint: (turnGrant) => identity.write('/v1/tokens/turn', { turn_grant: turnGrant }),
      now,
    }),
    authority: courier.accompany(client('dispatch-api', settings.DISPATCH_API_URL)),
    calls: createTurnBudget({ limit: CALLS_PER_TURN, now }),
    requests: createTurnBudget({ limit: REQUESTS_PER_TURN, now }),
    logger,
    telemetry,
  });
  await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return {
    async close() {
      await app.close();
      await courier.close();
      await telemetry.close();
    },
  };
}
