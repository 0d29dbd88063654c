import { DispatchError } from '@deadlatch/kernel';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { readCode, type ToolClient } from './run-turn.ts';

const CALL_TIMEOUT_MS = 10_000;

/**
 * Opens the bridge for one turn. The grant is the agent's only credential: it holds no key.
 * @param bridgeUrl origin of the tool bridge
 * @param turnGrant signed grant of exactly this turn
 * @throws DispatchError `unavailable` when the bridge does not answer
 */
export async function withToolClient<T>(
  bridgeUrl: string,
  turnGrant: string,
  use: (tools: ToolClient) => Promise<T>,
): Promise<T> {
  const client = new Client(
    { name: 'deadlatch-agent', version: '1' },
    { versionNegotiation: { mode: 'auto' } },
  );
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', bridgeUrl), {
    requestInit: { headers: { authorization: `Bearer ${turnGrant}` } },
  });
  const guarded = async <R>(work: Promise<R>): Promise<R> => {
    try {
      return await work;
    } catch (cause) {
      throw new DispatchError('unavailable', { detail: 'the tool bridge did not answer', cause });
    }
  };
  await guarded(client.connect(transport, { timeout: CALL_TIMEOUT_MS }));
  try {
    return await use({
      async list() {
        const { tools } = await guarded(client.listTools(undefined, { timeout: CALL_TIMEOUT_MS }));
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
    await client.close();
  }
}
