import { countedDetails, createRefusalBudget, REFUSALS_COUNTED } from '@deadlatch/audit-log';
import type { Clock } from '@deadlatch/kernel';
import {
  createSettle,
  type Pool,
  type SettledAct,
  type Settled as SettledOf,
  type Settle as SettleOf,
  withTenant,
} from '@deadlatch/postgres';
import type { VaultAct, VaultEventInput, WriteEvent } from './audit-event.ts';

/** What the event of an accepted act says. */
export type Told = Pick<VaultEventInput, 'resource' | 'details'> & { readonly correlationId?: string };
export type Settle = SettleOf<VaultAct, Told>;
export type Settled<Answer> = SettledOf<Answer, Told>;

/**
 * Settles what services ask of the vault: nonce, effect and event in one transaction. Refusals are written one by
 * one while their caller's budget lasts, then counted into one event.
 * @source T4.3, T5.5, F.1, F.6; design 03, refusals have a budget per caller
 */
export function createVaultSettle(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly writeEvent: WriteEvent;
  readonly now: Clock;
  readonly newId: () => string;
}): {
  readonly settle: Settle;
  /** Writes what was counted in windows that are over; before an end, everything. */
  readonly drain: (which?: 'over' | 'all') => Promise<void>;
} {
  const { pool, tenantId, writeEvent, now, newId } = options;
  const budget = createRefusalBudget<SettledAct<VaultAct>>({ now });
  const settle = createSettle<VaultAct, Told>({
    pool,
    tenantId,
    nonces: 'vault',
    newId,
    writeAccepted: (tx, of, told) => writeEvent(tx, { ...of, code: null, ...told }),
    writeRefused: async (tx, of, code) => {
      // Only services come here: they speak for nobody.
      if (!budget.admit({ service: of.request.service, subject: 'nobody', code }, of)) return;
      await writeEvent(tx, { ...of, code, resource: null, details: {} });
    },
  });
  return {
    settle,
    drain: (which) =>
      budget.drain((counted) => {
        const event: VaultEventInput = {
          ...counted.last,
          act: REFUSALS_COUNTED,
          code: counted.code,
          resource: null,
          details: countedDetails(counted),
        };
        return withTenant(pool, tenantId, (tx) => writeEvent(tx, event));
      }, which),
  };
}
