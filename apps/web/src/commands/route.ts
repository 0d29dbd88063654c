import { type CommandEntry, routeOf, UUID_PATTERN } from '@deadlatch/catalogue';
import type { ServiceClient } from '@deadlatch/http';
import { parseStrictJson, refuse } from '@deadlatch/kernel';
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import type { CurrentSession } from '../sessions/current-session.ts';
import type { TokenSource } from '../sessions/token-source.ts';
import { describeCatalogue, offeredCommand } from './offer-commands.ts';
import type { SealTexts } from './seal-texts.ts';

const CommandCall = Type.Object(
  {
    target_id: Type.Union([Type.String({ pattern: UUID_PATTERN }), Type.Null()]),
    /** Judged by dispatch-api against the catalogue's schema; here only that it is an object. */
    input: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown()),
    idempotency_key: Type.String({ pattern: UUID_PATTERN }),
  },
  { additionalProperties: false },
);
const commandCall = Compile(CommandCall);

export interface CommandRouteOptions {
  readonly dispatchApi: ServiceClient;
  readonly tokens: TokenSource;
  readonly current: CurrentSession;
  readonly sealTexts: SealTexts;
}

/**
 * One route for every command a person can send. It adds the person's token and seals words; what is allowed
 * is decided by dispatch-api alone, whose answer or refusal goes back as it is.
 * @invariant no command leaves without a session cookie and its CSRF token
 */
export function addCommandRoutes(server: FastifyInstance, options: CommandRouteOptions): void {
  const { dispatchApi, tokens, current, sealTexts } = options;
  const catalogue = describeCatalogue();

  server.get('/api/catalogue', async (request) => {
    current.reading(request);
    return catalogue;
  });

  server.post<{ Params: { command: string } }>('/api/commands/:command', async (request) => {
    const visitor = current.changing(request);
    const entry = offeredCommand(request.params.command) ?? refuse('unknown_command');
    const call = readCall(request.rawBody);
    const path = pathOf(entry, call.target_id);
    // Before anything is sealed: an ended session must not be able to fill the vault.
    const token = await tokens.forCommand(visitor);
    const input = await sealTexts(entry, call.input, {
      session: visitor.session,
      idempotencyKey: call.idempotency_key,
    });
    return dispatchApi.write(path, input, { token, idempotencyKey: call.idempotency_key });
  });
}

function readCall(body: Uint8Array): Static<typeof CommandCall> {
  const value = parseStrictJson(body);
  return commandCall.Check(value) ? value : refuse('schema_mismatch', { detail: 'command call' });
}

function pathOf(entry: CommandEntry, targetId: string | null): string {
  const route = routeOf(entry);
  if (!route.includes(':id'))
    return targetId === null ? route : refuse('schema_mismatch', { detail: 'target' });
  return targetId === null
    ? refuse('schema_mismatch', { detail: 'no target' })
    : route.replace(':id', targetId);
}
