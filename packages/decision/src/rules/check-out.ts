import type { CHECK_OUT_OUTCOMES, FreeTextRef, TicketState } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { confirm } from '../draft-message.ts';
import { requireStateIn } from '../gate/state.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import type { TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';
import { held, requireEnd } from './ticket-pause.ts';
import { requireVisit } from './visit.ts';

type CheckOutOutcome = (typeof CHECK_OUT_OUTCOMES)[number];

interface Input {
  readonly outcome: CheckOutOutcome;
  readonly hold_until?: string;
  readonly note?: FreeTextRef;
}

const AT_WORK = ['ON_SITE', 'IN_PROGRESS'] as const;

/** What the technician may say where: work that is handed in is complete, a question that is open is waited for. */
const SAID_AT: Readonly<Record<CheckOutOutcome, readonly TicketState[]>> = {
  COMPLETE: ['COMPLETED_PENDING_VERIFICATION'],
  PARTS: AT_WORK,
  NO_ACCESS: AT_WORK,
  WAITING_APPROVAL: ['APPROVAL_REQUIRED'],
  RETURN_TRIP: AT_WORK,
};

/** Whose delay it is. Parts are ours to have, whoever makes them. */
const OWNER = { PARTS: 'PROVIDER', NO_ACCESS: 'CUSTOMER', WAITING_APPROVAL: 'CUSTOMER' } as const;

/**
 * The trip ends and its technician is free; what becomes of the ticket follows from the outcome alone.
 * @throws DispatchError `invalid_state` for an outcome that the ticket's state contradicts; `schema_mismatch` without
 *   an end of the wait
 */
export const CHECK_OUT = rule<Input>('tech.check_out', {
  guard: requireVisit('tech.check_out'),
  run: (context) => {
    const { input, facts } = context;
    requireStateIn(ticketOf(context), SAID_AT[input.outcome] ?? []);
    const visit = need(facts.visit, 'visit');
    const ticket = afterwards(context);
    return {
      changes: {
        ticket,
        visit: changed(visit, { state: 'CHECKED_OUT' }),
        release_booking_of: visit.id,
        ...(ticket.state === 'ON_HOLD'
          ? confirm(context, ticket, input.outcome === 'NO_ACCESS' ? 'M14' : 'M13')
          : {}),
      },
      details: {
        visit_id: visit.id,
        outcome: input.outcome,
        hold_until: ticket.hold_until,
        note_text_id: input.note?.text_id ?? null,
      },
    };
  },
});

function afterwards(context: RuleContext<Input>): TicketRow {
  const { facts, input, now } = context;
  switch (input.outcome) {
    case 'COMPLETE':
      return changedTicket(context, {});
    case 'RETURN_TRIP':
      return changedTicket(context, { state: 'READY_TO_SCHEDULE' });
    case 'WAITING_APPROVAL': {
      const open = facts.approvals.find((a) => a.state === 'PENDING');
      // By then there is an answer, if only that nobody gave one.
      const until = need(open, 'open question').expires_at;
      return held(context, { reason: input.outcome, owner: OWNER[input.outcome], hold_until: until });
    }
    case 'PARTS':
    case 'NO_ACCESS': {
      const until = input.hold_until ?? refuse('schema_mismatch', { extra: { fields: ['/hold_until'] } });
      requireEnd(until, now);
      return held(context, { reason: input.outcome, owner: OWNER[input.outcome], hold_until: until });
    }
  }
}
