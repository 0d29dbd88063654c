import type { FieldKinds } from './field-kinds.ts';

/** One kind of span: the only attributes it can have, and which end of what it is. */
export interface SpanEntry {
  readonly kind: 'server' | 'client' | 'internal' | 'consumer';
  readonly attributes: FieldKinds;
}

/** A refusal or failure, by its code: never a message, which may quote input. */
const FAILURE = { 'error.type': 'code' } as const;

/**
 * Everything the services can trace. A span that is not in this table cannot be made, an attribute that is not in its
 * entry cannot appear, and a value that has not the form of its kind is written as `[invalid]`. There are no events
 * on spans, since those of other libraries hold exception messages. To trace something new, add it here.
 *
 * Names of attributes are those of the semantic conventions where these have one.
 * @source T5.1, F.3
 */
export const SPANS = {
  /** A request that one of our servers answers. */
  request: {
    kind: 'server',
    attributes: {
      ...FAILURE,
      'http.request.method': 'method',
      'http.route': 'route',
      'http.response.status_code': 'count',
    },
  },
  /** A call to another service of ours, from before it leaves until it is answered. */
  call: {
    kind: 'client',
    attributes: { ...FAILURE, 'http.request.method': 'method', 'deadlatch.peer': 'word' },
  },
  /** One round trip to the database. The statement is a constant of the source and is named, not quoted. */
  database: {
    kind: 'client',
    attributes: { ...FAILURE, 'db.operation.name': 'word', 'db.response.status_code': 'error_code' },
  },
  /** A command of a proven caller, all its tries. */
  command: {
    kind: 'internal',
    attributes: {
      ...FAILURE,
      'deadlatch.command': 'word',
      'deadlatch.decision': 'word',
      'deadlatch.correlation_id': 'id',
    },
  },
  /** What the gateway took over, on its way from the inbox to vault and dispatch-api. */
  'inbox.hand_over': { kind: 'consumer', attributes: { ...FAILURE, 'deadlatch.item': 'word' } },
  /** One try of one row that a command committed. */
  'outbox.relay': {
    kind: 'consumer',
    attributes: { ...FAILURE, 'deadlatch.task': 'word', 'deadlatch.attempts': 'count' },
  },
  /** One play of an agent's turn. */
  turn: {
    kind: 'internal',
    attributes: { ...FAILURE, 'deadlatch.turn_id': 'id', 'deadlatch.correlation_id': 'id' },
  },
  /** One tool call of an agent. */
  'tool.call': {
    kind: 'internal',
    attributes: { ...FAILURE, 'deadlatch.tool': 'word', 'deadlatch.turn_id': 'id' },
  },
  /** A text on its way to the carrier, which is not told of our trace. */
  'carrier.send': { kind: 'client', attributes: FAILURE },
} as const satisfies Readonly<Record<string, SpanEntry>>;

export type SpanName = keyof typeof SPANS;
