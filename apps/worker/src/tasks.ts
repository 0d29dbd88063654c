import { type Clock, DispatchError, derivedUuid, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import type { TaskList } from 'graphile-worker';

/** One signed call to another service. */
export interface Peer {
  write(path: string, body: object, options: { idempotencyKey: string }): Promise<JsonValue>;
}

export interface TaskPeers {
  readonly gateway: Peer;
  readonly agent: Peer;
  readonly dispatchApi: Peer;
}

/**
 * Refusals after which trying again cannot help: the job is done. Nothing that could be the fault of a key that was
 * rotated, a clock that is being set or a service that starts is among them.
 */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_found',
  'superseded',
  'invalid_state',
  'turn_ended',
]);

/** Clocks of two machines differ by no more than this. */
const SKEW_MS = 5_000;

/** Learns of every attempt that failed; gets codes and ids only. */
export type ReportAttempt = (attempt: {
  readonly kind: string;
  readonly outbox_id: string | undefined;
  readonly code: ErrorCode;
  readonly attempts: number;
}) => void;

/**
 * What the worker does: hand a message to the gateway, wake the agent, send a timer's command.
 * A timer carries no authority of its own: dispatch-api looks at its own row whether it is due.
 *
 * A job that is tried again is the same request: its idempotency key follows from the row it came from.
 * @source R.1, R.3
 */
export function createTasks(peers: TaskPeers, now: Clock, report: ReportAttempt): TaskList {
  const task =
    (kind: string, work: (payload: Payload) => Promise<unknown>) =>
    async (payload: unknown, { job }: { job: { attempts: number; key: string | null } }) => {
      try {
        await work(payload as Payload);
      } catch (error) {
        const code = error instanceof DispatchError ? error.code : 'unavailable';
        report({ kind, code, outbox_id: job.key ?? undefined, attempts: job.attempts });
        if (FINAL.has(code)) return;
        // The queue stores the text of what is thrown, so it is a code and nothing else.
        throw new Error(code);
      }
    };
  return {
    'message.deliver': task('message.deliver', (p) =>
      peers.gateway.write(
        '/v1/deliveries',
        { message_id: text(p.ref_id) },
        { idempotencyKey: keyFor(p.ref_id) },
      ),
    ),
    'agent.wake': task('agent.wake', async (p) => {
      const turn_grant = text(p.data?.turn_grant);
      if (endOf(turn_grant) + SKEW_MS < now())
        throw new DispatchError('turn_ended', { detail: 'its grant is over' });
      const body = { turn_id: text(p.ref_id), turn_grant };
      await peers.agent.write('/v1/turns', body, { idempotencyKey: keyFor(p.ref_id) });
    }),
    timer: task('timer', (p) =>
      peers.dispatchApi.write(
        `/v1/approvals/${text(p.target_id)}/${text(p.command)}`,
        {},
        { idempotencyKey: keyFor(p.timer_id) },
      ),
    ),
  };
}

interface Payload {
  readonly ref_id?: unknown;
  readonly data?: { readonly turn_grant?: unknown };
  readonly timer_id?: unknown;
  readonly target_id?: unknown;
  readonly command?: unknown;
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw new DispatchError('not_found', { detail: 'a job without its reference' });
  return value;
}

function keyFor(id: unknown): string {
  return derivedUuid(`job ${text(id)}`);
}

/**
 * When a grant says it ends, in milliseconds. Nothing is verified and nothing permitted by it: whoever gets the grant
 * verifies it. What cannot be read never ends here and is refused there.
 */
function endOf(grant: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(grant.split('.')[1] ?? '', 'base64url').toString());
    const exp = (claims as { exp?: unknown } | null)?.exp;
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
