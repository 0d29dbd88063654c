import { DispatchError, derivedUuid, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
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

/** Refusals after which trying again cannot help: the job is done. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_found',
  'superseded',
  'invalid_state',
  'turn_ended',
  'not_granted',
  'unauthenticated',
]);

/**
 * What the worker does: hand a message to the gateway, wake the agent, send a timer's command.
 * A timer carries no authority of its own: dispatch-api looks at its own row whether it is due.
 * @param report learns of every attempt that failed; gets codes only
 */
export function createTasks(
  peers: TaskPeers,
  report: (kind: string, code: ErrorCode, attempts: number) => void,
): TaskList {
  const task =
    (kind: string, work: (payload: Payload) => Promise<unknown>) =>
    async (payload: unknown, helpers: { job: { attempts: number } }) => {
      try {
        await work(payload as Payload);
      } catch (error) {
        const code = error instanceof DispatchError ? error.code : 'unavailable';
        report(kind, code, helpers.job.attempts);
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
    'agent.wake': task('agent.wake', (p) =>
      peers.agent.write(
        '/v1/turns',
        { turn_id: text(p.ref_id), turn_grant: text(p.data?.turn_grant) },
        { idempotencyKey: keyFor(p.ref_id) },
      ),
    ),
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

/** A job tried again is the same request. */
function keyFor(id: unknown): string {
  return derivedUuid('job', text(id));
}
