import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import { Server } from '@modelcontextprotocol/server';
import type { Toolset } from './toolset.ts';

/**
 * A protocol server for one request of one turn; nothing of it outlives the request.
 *
 * Refusals become results that hold a code and nothing else. The SDK would hand the message of any thrown error to
 * the peer, so nothing is ever thrown into it.
 * @param report learns of errors that are no refusals; gets the code only
 */
export function createMcpServer(toolset: Toolset, report: (code: ErrorCode, tool: string) => void): Server {
  const server = new Server({ name: 'deadlatch', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', async () => {
    const listed = await toolset.list().catch((error: unknown) => {
      report(codeOf(error), 'tools/list');
      return [];
    });
    return {
      tools: listed.map((tool) => ({
        ...tool,
        inputSchema: { ...tool.inputSchema, type: 'object' as const },
      })),
    };
  });
  server.setRequestHandler('tools/call', async ({ params }) => {
    try {
      return content(await toolset.call(params.name, (params.arguments ?? {}) as JsonValue));
    } catch (error) {
      const code = codeOf(error);
      report(code, params.name);
      return { ...content({ code }), isError: true };
    }
  });
  return server;
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof DispatchError ? error.code : 'unavailable';
}

function content(value: JsonValue) {
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(value) }],
    structuredContent: value as Record<string, unknown>,
  };
}
