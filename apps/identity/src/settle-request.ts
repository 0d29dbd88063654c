import type { ServiceName } from '@deadlatch/catalogue';
import { DispatchError, refuse } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import { insertEvent } from './audit-event.sql.ts';
import type { IdentityAct, IdentityEventInput, MakeEvent } from './audit-event.ts';
import { burnNonce } from './nonces.sql.ts';
import type { GatedRequest } from './service-gate.ts';

/** What an act of identity answers, and what its event says. */
export interface Settled<Answer> {
  readonly answer: Answer;
  /** `<kind>:<uuid>` */
  readonly subject: string;
  readonly details: IdentityEventInput['details'];
  readonly correlationId?: string;
  readonly ticketId?: string | null;
}

export interface Act<Prepared, Answer> {
  readonly act: IdentityAct;
  /** The only services that may ask for it. */
  readonly callers: readonly ServiceName[];
  /** Reads the body and does whatever needs no database. */
  readonly prepare: () => Prepared;
  readonly work: (tx: Tx, prepared: Prepared) => Promise<Settled<Answer>>;
}

export type Settle = <Prepared, Answer>(request: GatedRequest, act: Act<Prepared, Answer>) => Promise<Answer>;

/**
 * Runs one act of a service in one transaction: nonce, effect, event. A refusal commits its nonce and its event too.
 * @throws DispatchError of the refusal, after its event committed; the driver's error when nothing could be written,
 *   which is answered with 503
 * @invariant no answer leaves without its event, accepted or refused
 * @source T4.3, F.1, F.6, C.6
 */
export function createSettle(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly makeEvent: MakeEvent;
  readonly newId: () => string;
}): Settle {
  const { pool, tenantId, makeEvent } = options;
  return async (request, { act, callers, prepare, work }) => {
    const prepared = attempt(() => {
      if (!callers.includes(request.caller)) refuse('above_ceiling', { detail: 'service not listed here' });
      return prepare();
    });
    const base = { act, request: request.verified, correlationId: options.newId(), ticketId: null };
    const outcome = await withTenant(pool, tenantId, async (tx) => {
      try {
        await burnNonce(tx, request.verified);
        const settled = await work(tx, prepared());
        const { kind, id } = split(settled.subject);
        await insertEvent(
          tx,
          tenantId,
          makeEvent({
            ...base,
            code: null,
            subject: { kind, id, assurance: 'L1' },
            resource: null,
            details: settled.details,
            correlationId: settled.correlationId ?? base.correlationId,
            ticketId: settled.ticketId ?? null,
          }),
        );
        return { answer: settled.answer };
      } catch (error) {
        // Anything else is a failed statement: the transaction is dead and nothing may be said to have happened.
        if (!(error instanceof DispatchError)) throw error;
        const subject = { kind: 'service', id: null, assurance: 'L0' };
        const details = { service: request.caller };
        await insertEvent(
          tx,
          tenantId,
          makeEvent({ ...base, code: error.code, subject, resource: null, details }),
        );
        return { error };
      }
    });
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.answer;
  };
}

/** Runs `make` now and gives its value, or throws its error, later. */
function attempt<T>(make: () => T): () => T {
  try {
    const value = make();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function split(subject: string): { readonly kind: string; readonly id: string } {
  const at = subject.indexOf(':');
  return { kind: subject.slice(0, at), id: subject.slice(at + 1) };
}
