import { DispatchError } from '@deadlatch/kernel';
import type { Tracing } from '@deadlatch/telemetry';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { readCode, type ToolClient } from './run-turn.ts';

const CALL_TIMEOUT_MS = 10_000;
/** The one revision that the bridge speaks: there is nothing to fall back to. */
const PROTOCOL = '2026-07-28';

/**
 * Opens the bridge for one turn. The grant is the agent's only credential: it holds no key.
 * @param bridgeUrl origin of the tool bridge
 * @param turnGrant signed grant of exactly this turn
 * @throws DispatchError `unavailable` when the bridge does not answer
 */
export async function withToolClient<T>(
  options: {
    readonly bridgeUrl: string;
    readonly turnGrant: string;
    readonly fetch: typeof fetch;
    readonly tracing: Tracing;
  },
  use: (tools: ToolClient) => Promise<T>,
): Promise<T> {
  const client = new Client(
    { name: 'deadlatch-agent', version: '1' },
    { versionNegotiation: { mode: { pin: PROTOCOL } } },
  );
  const traceparent = options.tracing.traceparent();
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', options.bridgeUrl), {
    requestInit: {
      headers: { authorization: `Bearer ${options.turnGrant}`, ...(traceparent !== null && { traceparent }) },
      redirect: 'error',
    },
    fetch: options.fetch,
  });
  await guarded(client.connect(transport, { timeout: CALL_TIMEOUT_MS }));
  try {
    return await use({
      async list() {
        // What may be done changes with every command: a list from before is worth nothing.
        const fresh = { timeout: CALL_TIMEOUT_MS, cacheMode: 'bypass' } as const;
        const { tools } = await guarded(client.listTools(undefined, fresh));
        return tools.map((tool) => tool.name);
      },
      async call(name, input) {
        const result = await guarded(
          client.callTool({ name, arguments: { ...input } }, { timeout: CALL_TIMEOUT_MS }),
        );
        const value = (result.structuredContent ?? {}) as Record<string, unknown>;
        return result.isError ? { ok: false, code: readCode(value.code) } : { ok: true, value };
      },
    });
  } finally {
    // The turn has its result; a connection that cannot be closed any more changes nothing about it.
    await client.close().catch(() => undefined);
  }
}

async function guarded<R>(work: Promise<R>): Promise<R> {
  try {
    return await work;
  } catch (cause) {
    throw new DispatchError('unavailable', { detail: 'the tool bridge did not answer', cause });
  }
}
