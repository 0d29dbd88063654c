import { createSettle, type Pool, type Settle } from '@deadlatch/postgres';
import { insertEvent } from './audit-event.sql.ts';
import type { IdentityAct, IdentityEventInput, MakeEvent } from './audit-event.ts';
import type { RefusalTrail } from './refusals.ts';

/** What the event of an accepted act says. */
export interface SettledSession {
  /** `<kind>:<uuid>` */
  readonly subject: string;
  readonly details: IdentityEventInput['details'];
  readonly correlationId?: string;
  readonly ticketId?: string | null;
}

export type SettleSessions = Settle<IdentityAct, SettledSession>;

/** Settles what services ask of identity: nonce, effect and event in one transaction. @source T4.3, F.1, F.6 */
export function createSettleSessions(options: {
  readonly pool: Pool;
  readonly tenantId: string;
  readonly makeEvent: MakeEvent;
  readonly refusals: RefusalTrail;
  readonly newId: () => string;
}): SettleSessions {
  const { pool, tenantId, makeEvent, newId } = options;
  return createSettle<IdentityAct, SettledSession>({
    pool,
    tenantId,
    nonces: 'identity',
    newId,
    writeAccepted: (tx, of, told) =>
      insertEvent(
        tx,
        tenantId,
        makeEvent({
          act: of.act,
          request: of.request,
          requestId: of.requestId,
          code: null,
          subject: { ...split(told.subject), assurance: 'L1' },
          resource: null,
          details: told.details,
          correlationId: told.correlationId ?? of.correlationId,
          ticketId: told.ticketId ?? null,
        }),
      ),
    writeRefused: (tx, of, code) =>
      options.refusals.write(
        tx,
        makeEvent({
          act: of.act,
          request: of.request,
          requestId: of.requestId,
          code,
          subject: { kind: 'service', id: null, assurance: 'L0' },
          resource: null,
          details: { service: of.request.service },
          correlationId: of.correlationId,
          ticketId: null,
        }),
      ),
  });
}

function split(subject: string): { readonly kind: string; readonly id: string } {
  const at = subject.indexOf(':');
  return { kind: subject.slice(0, at), id: subject.slice(at + 1) };
}
