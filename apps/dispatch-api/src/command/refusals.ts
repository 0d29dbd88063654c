import { countedDetails, createRefusalBudget, REFUSALS_COUNTED } from '@deadlatch/audit-log';
import type { Refused } from '@deadlatch/decision';
import { type Clock, DispatchError, type ErrorCode, toInstant } from '@deadlatch/kernel';
import { type CommandPath, type CommitErrorKind, mapCommitError } from '@deadlatch/postgres';
import { type EventInput, type EventSource, refusedEvent } from './audit-event.ts';
import { actorName, nonceOf } from './call.ts';

export type Refusal = Omit<Refused, 'kind'>;

/** Where refusals of known callers are written, of commands and of reads. */
export interface Refusals {
  /**
   * Writes the refusal, or counts it when its caller's budget is used up, then throws it. A command's nonce is
   * burned either way, but for `rate_limited`, where nothing was looked at; a read has none.
   * @throws DispatchError the refusal; `unauthenticated` for a replay; `unavailable` when nothing could be written
   */
  refuse(input: EventInput, refusal: Refusal): Promise<never>;
  /** Writes what was counted in windows that are over; before an end, everything. */
  drain(which?: 'over' | 'all'): Promise<void>;
}

/** A request that is a replay, or too old, by database time: whoever replays must not be able to fill the trail. */
export const REPLAYS: Partial<Record<CommitErrorKind, ErrorCode>> = {
  nonce_replayed: 'unauthenticated',
  expired: 'unauthenticated',
};

/**
 * A refusal of an identified caller leaves an event of its own; when that event cannot be written, the answer is
 * `unavailable` and nothing happened.
 * @source F.6; design 03, refusals have a budget per caller
 */
export function createRefusals(
  options: EventSource & {
    readonly path: Pick<CommandPath, 'commitRefusal' | 'commitReplay'>;
    readonly now: Clock;
    readonly newId: () => string;
  },
): Refusals {
  const { path } = options;
  const budget = createRefusalBudget<{ readonly input: EventInput; readonly refusal: Refusal }>(options);
  const write = async (input: EventInput, refusal: Refusal): Promise<void> => {
    const { caller, request } = input.proven;
    const nonce = request.shape.write ? nonceOf(input.proven) : null;
    const kind = { service: caller.service, subject: actorName(caller), code: refusal.code };
    if (budget.admit(kind, { input, refusal })) {
      await path.commitRefusal({ tenant_id: caller.tenantId, nonce, event: rowOf(input, refusal) });
    } else if (nonce !== null && refusal.code !== 'rate_limited') {
      await path.commitReplay({ tenant_id: caller.tenantId, nonce });
    }
  };
  const rowOf = (input: EventInput, refusal: Refusal, details = {}) => {
    const { caller } = input.proven;
    return {
      id: input.id,
      body: refusedEvent(options, input, refusal, details),
      command: input.command,
      actor: actorName(caller),
      decision: 'refused' as const,
      correlation_id: caller.context.correlationId,
      ticket_id: input.ticketId,
    };
  };
  return {
    refuse: async (input, refusal) => {
      try {
        await write(input, refusal);
      } catch (error) {
        const problem = mapCommitError(error).kind;
        // A replay of a refused request is a replay first of all.
        throw new DispatchError(REPLAYS[problem] ?? 'unavailable', { detail: problem, cause: error });
      }
      const { code, detail, extra, policyIds } = refusal;
      throw new DispatchError(code, { detail, extra, policyIds });
    },
    drain: (which) =>
      budget.drain(async (counted) => {
        const { input, refusal } = counted.last;
        // Backed by the last request that was counted: its own event was never written.
        const about = {
          ...input,
          id: options.newId(),
          // Written when the window is over: dated like the last of them it would stand out of order in the log.
          time: toInstant(options.now()),
          command: REFUSALS_COUNTED,
          resource: null,
          ticketId: null,
        };
        await path.commitRefusal({
          tenant_id: input.proven.caller.tenantId,
          nonce: null,
          event: rowOf(about, refusal, countedDetails(counted)),
        });
      }, which),
  };
}
