import { SERVICES, type ServiceName } from '@deadlatch/catalogue';
import { DispatchError, type JsonValue, refuse } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import type { VerifiedRequest } from '@deadlatch/signing';
import type { VaultAct, VaultEventInput, WriteEvent } from './audit-event.ts';
import { burnNonce } from './nonces.sql.ts';

/** A request that a service signed. Its nonce is not burned yet: that is the transaction's first statement. */
export interface SignedRequest {
  readonly verified: VerifiedRequest;
  readonly body: JsonValue;
}

/** What an act answers, and what its event says; `event` null when there is nothing to tell. */
export interface Settled<Answer> {
  readonly answer: Answer;
  readonly event:
    | (Pick<VaultEventInput, 'resource' | 'details'> & { readonly correlationId?: string })
    | null;
}

export interface Act<Answer> {
  readonly act: VaultAct;
  /** The only services that may ask for it. */
  readonly callers: readonly ServiceName[];
  /**
   * Reads the body and does what must not wait inside a transaction: opening, masking, wrapping keys.
   * Changes nothing. Runs only for a caller on the list.
   */
  readonly prepare: () => Promise<(tx: Tx) => Promise<Settled<Answer>>>;
}

export type Settle = <Answer>(request: SignedRequest, act: Act<Answer>) => Promise<Answer>;

/**
 * Runs one act in one transaction: nonce, effect, event. A refusal commits its nonce and its event too.
 * @throws DispatchError of the refusal, after its event committed; the driver's error when nothing could be
 *   written, which is answered with 503
 * @invariant nothing is answered before the transaction with its event committed, accepted or refused
 * @source T4.3, T5.5, F.6, C.6
 */
export function createSettle(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly writeEvent: WriteEvent;
  readonly newId: () => string;
}): Settle {
  const { pool, tenantId, writeEvent, newId } = options;
  return async (request, { act, callers, prepare }) => {
    const { verified } = request;
    const work = await prepared(verified, callers, prepare);
    const correlationId = newId();
    const outcome = await withTenant(pool, tenantId, async (tx) => {
      // A replayed nonce writes nothing at all: whoever replays must not be able to fill the trail.
      await burnNonce(tx, verified);
      try {
        const settled = await work(tx);
        if (settled.event !== null) {
          await writeEvent(tx, { act, code: null, request: verified, correlationId, ...settled.event });
        }
        return { answer: settled.answer };
      } catch (error) {
        // Anything else is a failed statement: the transaction is dead and nothing may be said to have happened.
        if (!(error instanceof DispatchError) || error.code === 'unavailable') throw error;
        const refused = {
          act,
          code: error.code,
          request: verified,
          correlationId,
          resource: null,
          details: {},
        };
        await writeEvent(tx, refused);
        return { error };
      }
    });
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.answer;
  };
}

/** The act's own work, or its refusal as work, so that refusals are settled like everything else. */
async function prepared<Answer>(
  verified: VerifiedRequest,
  callers: readonly ServiceName[],
  prepare: Act<Answer>['prepare'],
): Promise<(tx: Tx) => Promise<Settled<Answer>>> {
  try {
    const caller = SERVICES.find((known) => known === verified.service);
    if (caller === undefined || !callers.includes(caller)) {
      return refuse('above_ceiling', { detail: 'caller_not_listed' });
    }
    return await prepare();
  } catch (error) {
    if (!(error instanceof DispatchError) || error.code === 'unavailable') throw error;
    return () => Promise.reject(error);
  }
}
