import { countedDetails, createRefusalBudget, REFUSALS_COUNTED } from '@deadlatch/audit-log';
import type { Clock } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import { insertEvent } from './audit-event.sql.ts';
import type { EventRow, IdentityEventInput, MakeEvent } from './audit-event.ts';

/** Where refusals are written: one by one while their caller's budget lasts, then counted into one event. */
export interface RefusalTrail {
  /** Writes the refusal in the transaction of whoever refused, or counts it. */
  write(tx: Tx, refusal: EventRow): Promise<void>;
  /** Writes what was counted in windows that are over; before an end, everything. */
  drain(which?: 'over' | 'all'): Promise<void>;
}

/**
 * @invariant whoever sends made-up links or sessions in a loop adds a bounded number of rows a minute
 * @source F.6; design 03, refusals have a budget per caller
 */
export function createRefusalTrail(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly makeEvent: MakeEvent;
  readonly now: Clock;
}): RefusalTrail {
  const { pool, tenantId, makeEvent } = options;
  const budget = createRefusalBudget<IdentityEventInput>({ now: options.now });
  return {
    write: async (tx, refusal) => {
      const { input } = refusal;
      const kind = {
        service: input.request?.service ?? 'browser',
        // A service that was refused spoke for somebody whom nobody knows.
        subject: input.subject.id === null ? 'nobody' : refusal.actor,
        code: input.code ?? 'unavailable',
      };
      if (budget.admit(kind, input)) await insertEvent(tx, tenantId, refusal);
    },
    drain: (which) =>
      budget.drain(
        (counted) =>
          withTenant(pool, tenantId, (tx) =>
            insertEvent(
              tx,
              tenantId,
              makeEvent({ ...counted.last, act: REFUSALS_COUNTED, details: countedDetails(counted) }),
            ),
          ),
        which,
      ),
  };
}
