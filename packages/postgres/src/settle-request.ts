import { SERVICES, type ServiceName } from '@deadlatch/catalogue';
import { DispatchError, type ErrorCode, type JsonValue, refuse } from '@deadlatch/kernel';
import type { VerifiedRequest } from '@deadlatch/signing';
import { burnNonce, type NonceSchema } from './nonces.sql.ts';
import type { Pool } from './pool.ts';
import { type Tx, withTenant } from './with-tenant.ts';

/** A request that a service signed. Its nonce is not burned yet: that is the transaction's first statement. */
export interface SignedRequest {
  readonly verified: VerifiedRequest;
  readonly body: JsonValue;
  /** What the answer names the request by. */
  readonly requestId: string;
}

/** What an act answers, and what its event says; `event` null when there is nothing to tell. */
export interface Settled<Answer, Told> {
  readonly answer: Answer;
  readonly event: Told | null;
}

export type Work<Answer, Told> = (tx: Tx) => Promise<Settled<Answer, Told>>;

export interface Act<Name, Answer, Told> {
  readonly act: Name;
  /** The only services that may ask for it. */
  readonly callers: readonly ServiceName[];
  /**
   * Reads the body and does what must not wait inside a transaction: opening, masking, minting.
   * Changes nothing. Runs only for a caller on the list.
   */
  readonly prepare: () => Promise<Work<Answer, Told>>;
}

/** Which request of which act an event is about. */
export interface SettledAct<Name> {
  readonly act: Name;
  readonly request: VerifiedRequest;
  readonly requestId: string;
  /** Minted here; an act that belongs to a chain brings its own. */
  readonly correlationId: string;
}

export type Settle<Name, Told> = <Answer>(
  request: SignedRequest,
  act: Act<Name, Answer, Told>,
) => Promise<Answer>;

/**
 * Runs one act of a service with its own schema in one transaction: nonce, effect, event. A refusal commits its
 * nonce too, and what `writeRefused` writes.
 * @param writeAccepted writes the act's event
 * @param writeRefused writes the refusal's event, or counts it when the caller's budget is used up
 * @throws DispatchError of the refusal, after its nonce and event committed; the driver's error when nothing could
 *   be written, which is answered with 503
 * @invariant nothing is answered before the transaction with its event committed, accepted or refused
 * @invariant a replayed nonce writes nothing at all: whoever replays must not be able to fill the trail
 * @source T4.3, T5.5, F.1, F.6, C.6
 */
export function createSettle<Name, Told>(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly nonces: NonceSchema;
  readonly writeAccepted: (tx: Tx, of: SettledAct<Name>, told: Told) => Promise<void>;
  readonly writeRefused: (tx: Tx, of: SettledAct<Name>, code: ErrorCode) => Promise<void>;
  readonly newId: () => string;
}): Settle<Name, Told> {
  const { pool, tenantId } = options;
  return async ({ verified, requestId }, { act, callers, prepare }) => {
    const work = await prepared(verified, callers, prepare);
    const of = { act, request: verified, requestId, correlationId: options.newId() };
    const outcome = await withTenant(pool, tenantId, async (tx) => {
      await burnNonce(tx, options.nonces, verified);
      try {
        const settled = await work(tx);
        if (settled.event !== null) await options.writeAccepted(tx, of, settled.event);
        return { answer: settled.answer };
      } catch (error) {
        // Anything else is a failed statement: the transaction is dead and nothing may be said to have happened.
        if (!(error instanceof DispatchError) || error.code === 'unavailable') throw error;
        await options.writeRefused(tx, of, error.code);
        return { error };
      }
    });
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.answer;
  };
}

/** The act's own work, or its refusal as work, so that refusals are settled like everything else. */
async function prepared<Answer, Told>(
  verified: VerifiedRequest,
  callers: readonly ServiceName[],
  prepare: () => Promise<Work<Answer, Told>>,
): Promise<Work<Answer, Told>> {
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
