import { type CommandEntry, findCommand, routeOf } from '@deadlatch/catalogue';
import { DispatchError, derivedUuid, isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';
import {
  COMMAND_FIELDS,
  CONVERSATION_FIELDS,
  listedFields,
  SCHEDULE_FIELDS,
  TICKET_FIELDS,
} from './listed-fields.ts';

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
  /** @throws DispatchError as dispatch-api refused */
  list(): Promise<readonly ToolDescription[]>;
  /** @throws DispatchError `unknown_command` for a tool that is not in the list now; else as dispatch-api refused */
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
    {
      name: 'schedule.options',
      description: 'The times offered for the ticket of this turn, and what its message chose of them.',
      inputSchema: NO_INPUT,
    },
  ].map((tool) => [tool.name, tool]),
);

/** Whether any turn at all could have a tool of this name. */
export function isToolName(name: string): boolean {
  return READS.has(name) || (findCommand(name)?.agentInput ?? null) !== null;
}

/**
 * The closed toolset of one turn.
 *
 * A call names a command and its arguments. Whose turn it is, which ticket and which conversation come from the
 * grant alone, so there is no argument with which one turn could reach into another (T1.9).
 * @param token the turn's user token, minted by identity from its grant
 * @invariant a name that dispatch-api did not list for this turn is never sent on
 * @source T1.1, T1.3, T1.9
 */
export function createToolset(authority: Authority, token: string): Toolset {
  const state = async () => readTurn(await ofPeer(authority.read('/v1/turn', { token })));
  return {
    async list() {
      const { tools, ticketId } = await state();
      const commands = [...tools].flatMap((name) => describe(findCommand(name)));
      const reads = [...READS.values()].filter((r) => r.name === 'conversation.get' || ticketId !== null);
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
      const idempotencyKey = keyOf(turn.turnId, name, input);
      const answer = await ofPeer(
        authority.write(pathOf(entry, turn), asObject(input), { token, idempotencyKey }),
      );
      return listedFields(answer, COMMAND_FIELDS);
    },
  };
}

/**
 * A peer that does not accept the bridge itself is an outage for the agent: with the agent's own credential, which
 * was verified before, nothing is wrong, and after a key rotation or a clock that was corrected the same call works.
 */
async function ofPeer<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const isOurs =
      cause instanceof DispatchError && (cause.code === 'unauthenticated' || cause.code === 'above_ceiling');
    throw isOurs ? new DispatchError('unavailable', { detail: 'the bridge was not accepted', cause }) : cause;
  }
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
    const answer = await ofPeer(authority.read(`/v1/conversations/${turn.conversationId}`, { token }));
    return listedFields(answer, CONVERSATION_FIELDS);
  }
  if (turn.ticketId === null) return refuse('not_found', { detail: 'this turn has no ticket' });
  if (name === 'schedule.options') {
    const found = await ofPeer(authority.read(`/v1/tickets/${turn.ticketId}/schedule-options`, { token }));
    return listedFields(found, SCHEDULE_FIELDS);
  }
  const answer = await ofPeer(authority.read(`/v1/tickets/${turn.ticketId}`, { token }));
  return listedFields(answer, TICKET_FIELDS);
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
  return derivedUuid('turn', turnId, name, canonicalJson(input));
}

function readTurn(answer: JsonValue): TurnState {
  const { turn, tools } = (answer ?? {}) as { turn?: Record<string, JsonValue>; tools?: JsonValue };
  // These become parts of paths, so they are looked at although they come from the authority.
  const id = (value: JsonValue | undefined) => (typeof value === 'string' && isUuid(value) ? value : null);
  const turnId = id(turn?.id);
  const conversationId = id(turn?.conversation_id);
  const ticketId = id(turn?.ticket_id);
  const isKnown = ticketId !== null || turn?.ticket_id === null;
  if (turnId === null || conversationId === null || !isKnown || !Array.isArray(tools)) {
    throw new DispatchError('unavailable', { detail: 'the turn could not be read' });
  }
  return {
    turnId,
    conversationId,
    ticketId,
    tools: new Set(tools.filter((name) => typeof name === 'string')),
  };
}

/** Arguments that are no object match no schema: they travel as none and are refused by the gate. */
function asObject(input: JsonValue): object {
  return typeof input === 'object' && input !== null ? input : {};
}
