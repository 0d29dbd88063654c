import type { DecisionTools, Facts } from '@deadlatch/decision';
import { isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { type Pool, withTenant } from '@deadlatch/postgres';
import type { FastifyInstance } from 'fastify';
import { presentOptions, presentRecommendations } from '../reads/present-schedule.ts';
import type { Reach } from '../reads/reach.ts';
import { requireReader, type Sees } from '../reads/reader.ts';
import { findTicket } from '../reads/tickets.sql.ts';
import type { AuditedRead } from './audited-read.ts';

export interface ScheduleReadParts {
  readonly audited: AuditedRead;
  readonly pool: Pool;
  readonly calendar: Reach['calendar'];
  readonly tools: DecisionTools;
}

/** Reads of a ticket's calendar: from the facts that its commands decide from, by the functions they decide with. */
export function addScheduleReadRoutes(app: FastifyInstance, parts: ScheduleReadParts): void {
  const add = (
    name: string,
    route: string,
    needs: Parameters<Reach['calendar']>[2],
    present: (sees: Sees, facts: Facts) => JsonValue,
  ) => {
    app.get<{ Params: { id: string } }>(route, (request) =>
      parts.audited(name, request, async ({ caller }) => {
        const { id } = request.params;
        if (!isUuid(id)) return refuse('not_found', { detail: 'not an id' });
        const sees = await withTenant(parts.pool, caller.tenantId, async (tx) => {
          const reader = await requireReader(tx, name, caller);
          const found = await findTicket(tx, caller.tenantId, reader.sees, id);
          return found === null ? refuse('not_found') : reader.sees;
        });
        return present(sees, await parts.calendar(caller, id, needs));
      }),
    );
  };
  add('schedule.options', '/v1/tickets/:id/schedule-options', ['turn'], presentOptions);
  add('visit.recommend', '/v1/tickets/:id/recommendations', ['roster'], (_sees, facts) => {
    // What it takes is known once the ticket is triaged.
    if (facts.ticket?.priority === null) {
      return refuse('invalid_state', { extra: { from_state: facts.ticket.state, allowed_from: [] } });
    }
    return presentRecommendations(facts, parts.tools);
  });
}
