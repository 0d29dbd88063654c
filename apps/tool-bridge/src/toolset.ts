import { type CommandEntry, findCommand, routeOf } from '@deadlatch/catalogue';
import { DispatchError, derivedUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';

/** The authority as the bridge uses it; every call is signed by the bridge. */
export interface Authority {
  read(path: string, options: { token: string }): Promise<JsonValue>;
  write(path: string, body: object, options: { token: string; idempotencyKey: string }): Promise<JsonValue>;
}

export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments: references and choices only. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** The tools of one turn: what dispatch-api says it may call now, and nothing else. */
export interface Toolset {
  list(): Promise<readonly ToolDescription[]>;
  /** @throws DispatchError `unknown_command` for a tool that is not in the list now */
  call(name: string, input: JsonValue): Promise<JsonValue>;
}

interface TurnState {
  readonly turnId: string;
  readonly ticketId: string | null;
  readonly conversationId: string;
  readonly tools: ReadonlySet<string>;
}

const NO_INPUT = { type: 'object', properties: {}, additionalProperties: false };

const READS: ReadonlyMap<string, ToolDescription> = new Map(
  [
    {
      name: 'conversation.get',
      description: 'The conversation of this turn, with personal data replaced by placeholders.',
      inputSchema: NO_INPUT,
    },
    { name: 'ticket.get', description: 'The ticket of this turn as it stands now.', inputSchema: NO_INPUT },
  ].map((tool) => [tool.name, tool]),
);

/**
 * The closed toolset of one turn.
 *
 * A call names a command and its arguments. Whose turn it is, which ticket and which conversation come from the
 * grant alone, so there is no argument with which one turn could reach into another (T1.9).
 * @invariant a name that dispatch-api did not list for this turn is never sent on
 */
export function createToolset(authority: Authority, token: string): Toolset {
  const state = async () => readTurn(await authority.read('/v1/turn', { token }));
  return {
    async list() {
      const { tools, ticketId } = await state();
      const commands = [...tools].flatMap((name) => describe(findCommand(name)));
      const reads = [...READS.values()].filter((r) => r.name !== 'ticket.get' || ticketId !== null);
      return [...commands, ...reads];
    },
    async call(name, input) {
      const turn = await state();
      if (READS.has(name)) {
        if (canonicalJson(input) !== '{}') refuse('schema_mismatch', { detail: 'a read takes no arguments' });
        return readOf(name, turn, authority, token);
      }
      const entry = turn.tools.has(name) ? findCommand(name) : undefined;
      if (!entry?.agentInput) return refuse('unknown_command', { detail: 'not a tool of this turn' });
      const answer = await authority.write(pathOf(entry, turn), asObject(input), {
        token,
        idempotencyKey: keyOf(turn.turnId, name, input),
      });
      return pick(answer, ['ticket', 'result', 'tools', 'replayed']);
    },
  };
}

function describe(entry: CommandEntry | undefined): ToolDescription[] {
  if (!entry?.agentInput) return [];
  return [{ name: entry.name, description: entry.summary, inputSchema: { ...entry.agentInput } }];
}

async function readOf(
  name: string,
  turn: TurnState,
  authority: Authority,
  token: string,
): Promise<JsonValue> {
  if (name === 'conversation.get') {
    const answer = await authority.read(`/v1/conversations/${turn.conversationId}`, { token });
    return pick(answer, ['entries']);
  }
  if (turn.ticketId === null) return refuse('not_found', { detail: 'this turn has no ticket' });
  const answer = (await authority.read(`/v1/tickets/${turn.ticketId}`, { token })) as { ticket?: JsonValue };
  return {
    ticket: pick(answer.ticket ?? {}, [
      'reference',
      'state',
      'version',
      'incident_type',
      'priority',
      'safety',
      'answers',
      'missing',
    ]),
  };
}

function pathOf(entry: CommandEntry, turn: TurnState): string {
  const route = routeOf(entry);
  if (entry.target === 'none') return route;
  if (entry.target !== 'ticket' || turn.ticketId === null) {
    return refuse('unknown_command', { detail: 'this turn has no such target' });
  }
  return route.replace(':id', turn.ticketId);
}

/** The same call in the same turn is the same request: a turn that is played again after a crash repeats nothing. */
function keyOf(turnId: string, name: string, input: JsonValue): string {
  return derivedUuid(`turn ${turnId} ${name} ${canonicalJson(input)}`);
}

function readTurn(answer: JsonValue): TurnState {
  const { turn, tools } = (answer ?? {}) as { turn?: Record<string, JsonValue>; tools?: JsonValue };
  const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : null);
  const turnId = text(turn?.id);
  const conversationId = text(turn?.conversation_id);
  if (turnId === null || conversationId === null || !Array.isArray(tools)) {
    throw new DispatchError('unavailable', { detail: 'the turn could not be read' });
  }
  return {
    turnId,
    conversationId,
    ticketId: text(turn?.ticket_id),
    tools: new Set(tools.filter((name) => typeof name === 'string')),
  };
}

/** Arguments that are no object match no schema: they travel as none and are refused by the gate. */
function asObject(input: JsonValue): object {
  return typeof input === 'object' && input !== null ? input : {};
}

/** Only what is listed goes back to the agent; whatever else an answer may hold in future stays here (T1.3). */
function pick(value: JsonValue, names: readonly string[]): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    names.flatMap((n) => (Object.hasOwn(value, n) ? [[n, value[n] as JsonValue]] : [])),
  );
}
