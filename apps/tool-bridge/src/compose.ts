import { randomBytes } from 'node:crypto';
import { spiffeId } from '@deadlatch/catalogue';
import { createHttpServer, createServiceClient, openKeyDirectory, type Running } from '@deadlatch/http';
import { systemClock } from '@deadlatch/kernel';
import { createLogger } from '@deadlatch/telemetry';
import type { Settings } from './env.ts';
import { addMcpRoute } from './mcp-route.ts';
import { createTurnTokens } from './turn-tokens.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const PEER_TIMEOUT_MS = 8_000;

/** Constructs the whole service; the only place that does. */
export async function compose(settings: Settings): Promise<Running> {
  const environment = settings.DEADLATCH_ENVIRONMENT;
  const now = systemClock;
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const key = keyDir.signingKey();
  const logger = createLogger({ service: 'tool-bridge', level: settings.DEADLATCH_LOG_LEVEL });
  const client = (service: 'dispatch-api' | 'identity', baseUrl: string) =>
    createServiceClient({
      service: 'tool-bridge',
      key,
      baseUrl,
      audience: spiffeId(environment, service),
      fetch: globalThis.fetch,
      now,
      random: (n) => randomBytes(n),
      timeoutMs: PEER_TIMEOUT_MS,
    });
  const identity = client('identity', settings.IDENTITY_URL);
  const tokens = createTurnTokens(async (turnGrant) => {
    const minted = await identity.write('/v1/tokens/turn', { turn_grant: turnGrant });
    return minted as unknown as { token: string; expires_at: string };
  }, now);

  const app = createHttpServer({
    service: 'tool-bridge',
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    // It depends on its keys alone to start; peers that are away make single calls fail, not the process.
    ready: async () => void keyDir.trust(),
  });
  const close = addMcpRoute(app, {
    grantKey: keyDir.trust().grantKey,
    now,
    tokens,
    authority: client('dispatch-api', settings.DISPATCH_API_URL),
    logger,
  });
  await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return {
    async close() {
      await close();
      await app.close();
    },
  };
}
