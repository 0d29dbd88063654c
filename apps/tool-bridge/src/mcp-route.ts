import { bearerOf, followSignedTrace, readJson, requirePeer } from '@deadlatch/http';
import { type Clock, dimensionOf, type ErrorCode, type JsonValue, refuse } from '@deadlatch/kernel';
import { type TimedKey, type TurnGrant, verifyGrant } from '@deadlatch/signing';
import { codeOf, type Logger, type Telemetry } from '@deadlatch/telemetry';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createMcpServer } from './mcp-server.ts';
import { type Authority, createToolset, type Toolset } from './toolset.ts';
import type { TurnBudget } from './turn-budget.ts';
import type { TurnTokens } from './turn-tokens.ts';

export interface McpRouteParts {
  /** `host:port` as callers know it; no other name is answered. */
  readonly host: string;
  /** The keys of dispatch-api's grants, as the trust bundle has them now. */
  readonly grantKeys: () => readonly TimedKey[];
  /** SPIFFE id of identity, whom turn grants are for: the bridge only passes them on. */
  readonly grantAudience: string;
  readonly now: Clock;
  readonly tokens: TurnTokens;
  readonly authority: Authority;
  /** Tool calls that a turn may make. */
  readonly calls: TurnBudget;
  /** Requests of any kind that a turn may make: each costs the authority a read. */
  readonly requests: TurnBudget;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, 'tracing' | 'metrics'>;
}

/**
 * What of the protocol is served. The rest is not: subscriptions would hold a request open, and this bridge has
 * neither prompts nor resources. `initialize` is let through so that the SDK tells an old client which version it wants.
 */
const METHODS: ReadonlySet<string> = new Set(['server/discover', 'tools/list', 'tools/call', 'initialize']);
const NEEDS_TOKEN: ReadonlySet<string> = new Set(['tools/list', 'tools/call']);

/**
 * `POST /mcp`: one request, one server, one turn.
 *
 * The bearer is a turn grant signed by dispatch-api. It is checked here so that strangers cost nothing, and again by
 * identity, which alone can turn it into a token. State is per request: nothing can pass from one turn to another.
 * @source T1.1, T1.8, T1.9
 */
export function addMcpRoute(app: FastifyInstance, parts: McpRouteParts): void {
  app.post('/mcp', async (request, reply) => {
    requirePeer(request, 'agent');
    assertNoBrowser(request, parts.host);
    const grant = bearerOf(request);
    const now = parts.now();
    const claims = verifyGrant('turn', grant, {
      keys: parts.grantKeys(),
      audience: parts.grantAudience,
      now,
    });
    followSignedTrace(request, claims.traceparent ?? null);
    const body = readJson(request);
    const method = methodOf(body);
    const endsAt = claims.exp * 1000;
    parts.requests.spend(claims.turn, endsAt);
    const toolset = NEEDS_TOKEN.has(method)
      ? createToolset(parts.authority, await parts.tokens.tokenFor(grant))
      : NO_TOOLS;
    const spending: Toolset = {
      list: () => toolset.list(),
      async call(name, input) {
        parts.calls.spend(claims.turn, endsAt);
        return toolset.call(name, input);
      },
    };
    const handler = createMcpHandler(
      () => createMcpServer(spending, (tool, work) => observeCall(tool, claims, parts, work)),
      { legacy: 'reject' },
    );
    try {
      const response = await handler.fetch(protocolRequest(request), { parsedBody: body });
      reply.code(response.status);
      const type = response.headers.get('content-type');
      if (type !== null) reply.type(type);
      return await reply.send(Buffer.from(await response.arrayBuffer()));
    } finally {
      await handler.close();
    }
  });
}

/** Traces, counts and logs one call: its tool and, when it was refused, the code. */
async function observeCall<Answer>(
  tool: string,
  { turn, correlation_id }: TurnGrant,
  { logger, telemetry }: McpRouteParts,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const tell = (code?: ErrorCode) => {
    telemetry.metrics.add('tool_calls_total', {
      tool,
      dimension: code === undefined ? 'none' : dimensionOf(code),
    });
    // Every step lists its tools: only a list that could not be had is worth a line.
    if (tool === 'tools.list' && code === undefined) return;
    logger.event('tool.called', { tool, turn_id: turn, correlation_id, code });
  };
  try {
    const about = { 'deadlatch.tool': tool, 'deadlatch.turn_id': turn };
    const answer = await telemetry.tracing.span('tool.call', about, work);
    tell();
    return answer;
  } catch (error) {
    tell(codeOf(error));
    throw error;
  }
}

const NO_TOOLS: Toolset = {
  list: async () => [],
  call: async () => refuse('unknown_command', { detail: 'not a tool' }),
};

/** No page may reach the bridge, by whatever name it had its visitor's browser look up. @source MCP, DNS rebinding */
function assertNoBrowser(request: FastifyRequest, host: string): void {
  if (request.headers.origin !== undefined) refuse('not_granted', { detail: 'sent by a browser' });
  if (request.headers.host !== host) refuse('not_granted', { detail: 'another host' });
}

/** @throws DispatchError `unknown_command` for anything but one message of the methods that are served */
function methodOf(body: JsonValue): string {
  const isMessage = typeof body === 'object' && body !== null && !Array.isArray(body);
  const method = isMessage && Object.hasOwn(body, 'method') ? body.method : undefined;
  const isServed = typeof method === 'string' && METHODS.has(method);
  return isServed ? method : refuse('unknown_command', { detail: 'method is not served' });
}

/** Only what the protocol itself needs goes on; the grant, for one, does not. */
function protocolRequest(request: FastifyRequest): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    const isProtocol = name === 'content-type' || name === 'accept' || name.startsWith('mcp-');
    if (isProtocol && typeof value === 'string') headers.set(name, value);
  }
  return new Request('http://tool-bridge/mcp', {
    method: 'POST',
    headers,
    body: new Uint8Array(request.rawBody),
  });
}
