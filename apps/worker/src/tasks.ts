import { findCommand, routeOf } from '@deadlatch/catalogue';
import { type Clock, DispatchError, derivedUuid, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import type { WaitingRow } from './waiting.sql.ts';

/** One signed call to another service. */
export interface Peer {
  write(path: string, body: object, options: { idempotencyKey: string }): Promise<JsonValue>;
}

export interface TaskPeers {
  readonly gateway: Peer;
  readonly agent: Peer;
  readonly dispatchApi: Peer;
}

/** How one try ended. */
export type TaskOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'abandoned' | 'retry'; readonly code: ErrorCode };

export type PerformTask = (row: WaitingRow) => Promise<TaskOutcome>;

/**
 * Refusals after which trying again cannot help. Nothing that could be the fault of a key that was rotated, a clock
 * that is being set or a service that starts is among them.
 */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_found',
  'superseded',
  'invalid_state',
  'turn_ended',
]);

/** Clocks of two machines differ by no more than this. */
const SKEW_MS = 5_000;

/**
 * What the worker does: hand a message to the gateway, wake the agent, send a timer's command.
 * A timer carries no authority of its own: dispatch-api looks at its own row whether it is due.
 *
 * A row that is tried again is the same request: its idempotency key follows from the row. Never throws.
 * @source R.1, R.3
 */
export function createTasks(peers: TaskPeers, now: Clock): PerformTask {
  const perform = async (row: WaitingRow): Promise<void> => {
    const options = { idempotencyKey: derivedUuid(`${row.table} ${row.id}`) };
    if (row.table === 'timers') {
      await peers.dispatchApi.write(pathOf(row), {}, options);
    } else if (row.kind === 'message.deliver') {
      await peers.gateway.write('/v1/deliveries', { message_id: row.ref_id }, options);
    } else {
      const turn_grant = row.turn_grant ?? '';
      if (endOf(turn_grant) + SKEW_MS < now()) throw new DispatchError('turn_ended');
      await peers.agent.write('/v1/turns', { turn_id: row.ref_id, turn_grant }, options);
    }
  };
  return async (row) => {
    try {
      await perform(row);
      return { kind: 'done' };
    } catch (error) {
      const code = error instanceof DispatchError ? error.code : 'unavailable';
      return { kind: FINAL.has(code) ? 'abandoned' : 'retry', code };
    }
  };
}

/** The path of a timer's command. @throws DispatchError `unavailable` for a kind that is no command with a target */
function pathOf({ kind, ref_id }: WaitingRow): string {
  const entry = findCommand(kind);
  if (entry === undefined || entry.target === 'none') {
    throw new DispatchError('unavailable', { detail: 'a timer that is no command' });
  }
  return routeOf(entry).replace(':id', ref_id);
}

/**
 * When a grant says it ends, in milliseconds. Nothing is verified and nothing permitted by it: whoever gets the grant
 * verifies it. A grant that cannot be read has ended.
 */
function endOf(grant: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(grant.split('.')[1] ?? '', 'base64url').toString());
    const exp = (claims as { exp?: unknown } | null)?.exp;
    return typeof exp === 'number' ? exp * 1000 : 0;
  } catch {
    return 0;
  }
}
