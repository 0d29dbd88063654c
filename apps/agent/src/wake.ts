import { type AuthenticateOptions, authenticate, readJson, requirePeer, validator } from '@deadlatch/http';
import { type Clock, refuse } from '@deadlatch/kernel';
import { JWS, type TimedKey, verifyGrant } from '@deadlatch/signing';
import type { Logger, Tracing } from '@deadlatch/telemetry';
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';

const turnRequest = Type.Object(
  {
    turn_id: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    turn_grant: Type.String({ maxLength: 4_096, pattern: JWS.source }),
  },
  { additionalProperties: false },
);

export interface WakeParts {
  readonly gate: Omit<AuthenticateOptions, 'shapes'>;
  /** The keys of dispatch-api's grants, as the trust bundle has them now. */
  readonly grantKeys: () => readonly TimedKey[];
  readonly now: Clock;
  /** Plays one turn; resolves to how many commands were carried out. */
  readonly play: (turnGrant: string) => Promise<number>;
  readonly logger: Logger;
  readonly tracing: Tracing;
}

/**
 * `POST /v1/turns`: the worker wakes the agent for one message.
 *
 * The worker may ask again because it did not hear the answer: while a turn is played, asking for it again waits for
 * that same play, so a turn is never played twice at a time.
 * @source T1.9, T4.3
 */
export function addWakeRoute(app: FastifyInstance, parts: WakeParts): void {
  const readTurnRequest = validator<Static<typeof turnRequest>>(turnRequest);
  const playing = new Map<string, Promise<number>>();

  const playOnce = (turnId: string, turnGrant: string): Promise<number> => {
    const running = playing.get(turnId);
    if (running) return running;
    const started = parts.play(turnGrant).finally(() => playing.delete(turnId));
    playing.set(turnId, started);
    return started;
  };

  app.post('/v1/turns', async (request) => {
    requirePeer(request, 'worker');
    const sender = await authenticate(request, { ...parts.gate, shapes: [{ write: true, token: false }] });
    if (sender.service !== 'worker') refuse('not_granted', { detail: 'only the worker wakes the agent' });
    const { turn_id, turn_grant } = readTurnRequest(readJson(request));
    const claims = verifyGrant('turn', turn_grant, { keys: parts.grantKeys(), now: parts.now() });
    if (claims.turn !== turn_id) refuse('unauthenticated', { detail: 'grant_of_another_turn' });
    const ids = { turn_id, correlation_id: claims.correlation_id };
    const startedAt = parts.now();
    parts.logger.event('turn.started', ids);
    const about = { 'deadlatch.turn_id': turn_id, 'deadlatch.correlation_id': claims.correlation_id };
    const steps = await parts.tracing.span('turn', about, () => playOnce(turn_id, turn_grant));
    parts.logger.event('turn.finished', { ...ids, steps, ms: Math.max(0, parts.now() - startedAt) });
    return { steps };
  });
}
