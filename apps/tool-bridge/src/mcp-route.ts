import { bearerOf, readJson } from '@deadlatch/http';
import { type Clock, refuse } from '@deadlatch/kernel';
import { type NamedPublicKey, verifyGrant } from '@deadlatch/signing';
import type { Logger } from '@deadlatch/telemetry';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { FastifyInstance } from 'fastify';
import { createMcpServer } from './mcp-server.ts';
import { type Authority, createToolset } from './toolset.ts';
import type { TurnTokens } from './turn-tokens.ts';

export interface McpRouteParts {
  readonly grantKey: NamedPublicKey;
  readonly now: Clock;
  readonly tokens: TurnTokens;
  readonly authority: Authority;
  readonly logger: Logger;
}

/**
 * `POST /mcp`: one request, one server, one turn.
 *
 * The bearer is a turn grant signed by dispatch-api. It is checked here so that strangers cost nothing, and again by
 * identity, which alone can turn it into a token.
 * @returns ends what is still open
 */
export function addMcpRoute(app: FastifyInstance, parts: McpRouteParts): () => Promise<void> {
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const token = authInfo?.token ?? refuse('unauthenticated', { detail: 'no_turn' });
      return createMcpServer(createToolset(parts.authority, token), (code, tool) =>
        parts.logger.event('tool.called', { tool, code }),
      );
    },
    { responseMode: 'json', legacy: 'reject' },
  );
  app.post('/mcp', { config: { accepts: ['application/json'] } }, async (request, reply) => {
    const grant = bearerOf(request);
    const claims = verifyGrant('turn', grant, { key: parts.grantKey, now: parts.now() });
    const parsedBody = readJson(request);
    const token = await parts.tokens.tokenFor(grant);
    const response = await handler.fetch(
      new Request('http://tool-bridge/mcp', {
        method: 'POST',
        headers: protocolHeaders(request.headers),
        body: new Uint8Array(request.rawBody),
      }),
      { parsedBody, authInfo: { token, clientId: claims.turn, scopes: [] } },
    );
    reply.code(response.status);
    const type = response.headers.get('content-type');
    if (type !== null) reply.type(type);
    return reply.send(Buffer.from(await response.arrayBuffer()));
  });
  return () => handler.close();
}

/** Only what the protocol itself needs goes on; the grant, for one, does not. */
function protocolHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    const isProtocol = name === 'content-type' || name === 'accept' || name.startsWith('mcp-');
    if (isProtocol && typeof value === 'string') kept.set(name, value);
  }
  return kept;
}
