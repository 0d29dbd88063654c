import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import { Server } from '@modelcontextprotocol/server';
import { isToolName, type Toolset } from './toolset.ts';

/** What became of one call: its tool (`unlisted` for a name that is none) and, when it was refused, the code. */
export type ReportCall = (tool: string, code?: ErrorCode) => void;

/**
 * A protocol server for one request of one turn; nothing of it outlives the request.
 *
 * Refusals of calls become results that hold a code and nothing else. The SDK hands the message of any thrown error
 * to the peer, so what is thrown into it is a code too.
 * @param report learns of every call; gets names and codes only
 * @source T1.3
 */
export function createMcpServer(toolset: Toolset, report: ReportCall): Server {
  const server = new Server({ name: 'deadlatch', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', async () => {
    try {
      const listed = await toolset.list();
      return {
        tools: listed.map((tool) => ({
          ...tool,
          inputSchema: { ...tool.inputSchema, type: 'object' as const },
        })),
      };
    } catch (error) {
      // Never an empty list: an agent that believes it has no tools would end its turn.
      const code = codeOf(error);
      report('tools/list', code);
      throw new Error(code);
    }
  });
  server.setRequestHandler('tools/call', async ({ params }) => {
    // A name that the agent made up is its own words, which no log line may hold.
    const tool = isToolName(params.name) ? params.name : 'unlisted';
    try {
      const answer = content(await toolset.call(params.name, (params.arguments ?? {}) as JsonValue));
      report(tool);
      return answer;
    } catch (error) {
      const code = codeOf(error);
      report(tool, code);
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
