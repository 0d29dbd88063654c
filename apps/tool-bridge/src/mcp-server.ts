import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import { Server } from '@modelcontextprotocol/server';
import { isToolName, type Toolset } from './toolset.ts';

/** Does one call and tells what became of it. Its tool is `unlisted` for a name that is none, and `tools.list`. */
export type ObserveCall = <Answer>(tool: string, work: () => Promise<Answer>) => Promise<Answer>;

/**
 * A protocol server for one request of one turn; nothing of it outlives the request.
 *
 * Refusals of calls become results that hold a code and nothing else. The SDK hands the message of any thrown error
 * to the peer, so what is thrown into it is a code too.
 * @param observe sees every call; gets names and refusals only
 * @source T1.3
 */
export function createMcpServer(toolset: Toolset, observe: ObserveCall): Server {
  const server = new Server({ name: 'deadlatch', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', async () => {
    try {
      const listed = await observe('tools.list', () => toolset.list());
      return {
        tools: listed.map((tool) => ({
          ...tool,
          inputSchema: { ...tool.inputSchema, type: 'object' as const },
        })),
      };
    } catch (error) {
      // Never an empty list: an agent that believes it has no tools would end its turn.
      throw new Error(codeOf(error));
    }
  });
  server.setRequestHandler('tools/call', async ({ params }) => {
    // A name that the agent made up is its own words, which no log line may hold.
    const tool = isToolName(params.name) ? params.name : 'unlisted';
    try {
      const input = (params.arguments ?? {}) as JsonValue;
      return content(await observe(tool, () => toolset.call(params.name, input)));
    } catch (error) {
      return { ...content({ code: codeOf(error) }), isError: true };
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
