import { spiffeId } from '@deadlatch/catalogue';
import {
  authenticate,
  createHttpServer,
  createKeyRing,
  createNonceMemory,
  openKeyDirectory,
  type Running,
  readJson,
  validator,
} from '@deadlatch/http';
import { refuse, systemClock } from '@deadlatch/kernel';
import { JWS } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import Type, { type Static } from 'typebox';
import type { Settings } from './env.ts';
import { scriptedPlanner } from './planner/scripted.ts';
import { runTurn } from './run-turn.ts';
import { withToolClient } from './tool-client.ts';

const BODY_LIMIT_BYTES = 16 * 1024;

const turnRequest = Type.Object(
  {
    turn_id: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    turn_grant: Type.String({ maxLength: 4_096, pattern: JWS.source }),
  },
  { additionalProperties: false },
);
const readTurnRequest = validator<Static<typeof turnRequest>>(turnRequest);

/**
 * Constructs the whole service; the only place that does. It holds no signing key, no database connection and no
 * personal data: a turn grant, for ten minutes, is all it ever has.
 */
export async function compose(settings: Settings): Promise<Running> {
  const now = systemClock;
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const logger = createLogger({ service: 'agent', level: settings.DEADLATCH_LOG_LEVEL });
  const keys = createKeyRing({ read: () => keyDir.trust().services, now });
  const nonces = createNonceMemory({ now });
  const audience = spiffeId(settings.DEADLATCH_ENVIRONMENT, 'agent');

  const app = createHttpServer({
    service: 'agent',
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    ready: async () => void (await keys.current()),
  });
  app.post('/v1/turns', async (request) => {
    const shapes = [{ write: true, token: false }];
    const sender = await authenticate(request, { shapes, audience, keys, now, nonces });
    if (sender.service !== 'worker') refuse('not_granted', { detail: 'only the worker wakes the agent' });
    const { turn_grant } = readTurnRequest(readJson(request));
    const steps = await withToolClient(settings.TOOL_BRIDGE_URL, turn_grant, (tools) =>
      runTurn(tools, scriptedPlanner),
    );
    logger.event('turn.finished', { steps });
    return { steps };
  });
  await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return { close: () => app.close() };
}
