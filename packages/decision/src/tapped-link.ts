import type { TicketState } from '@deadlatch/catalogue';
import { sourcesOf } from './gate/state.ts';
import { openOptions } from './options.ts';
import type { MessageRow, TicketRow, VisitRow } from './rows.ts';
import type { OptionRow, TappedLinkFacts } from './schedule-facts.ts';

/** What stands behind a tap: the link, and the rows of its ticket as they are now. */
export interface Tapped {
  readonly link: TappedLinkFacts;
  readonly ticket: Pick<TicketRow, 'id' | 'state' | 'requester_id'>;
  /** Offered for the ticket and not taken back. */
  readonly options: readonly OptionRow[];
  /** The ticket's visit that is not over. */
  readonly visit: Pick<VisitRow, 'state'> | null;
}

/** What can be said by it now. */
export interface OpenAnswers {
  readonly options: readonly OptionRow[];
  readonly otherTime: boolean;
}

/** Where somebody can ask for another time than the offered or the agreed one. */
export const HAS_TIME: ReadonlySet<TicketState> = new Set<TicketState>([
  'SCHEDULE_PROPOSED',
  'SCHEDULED',
  'DISPATCHED',
]);

const NOTHING: OpenAnswers = { options: [], otherTime: false };

/**
 * The one answer to "what can this link say now", for the page and for the command, so that they cannot drift apart.
 * @param now milliseconds since the epoch, by database time
 * @invariant nothing once it was used, for anybody but its recipient, about another ticket, after the offer it spoke
 *   of was taken back or overtaken, or after the hold is over
 * @source T1.10; design 05: links
 */
export function openAnswers({ link, ticket, options, visit }: Tapped, now: number): OpenAnswers {
  if (link.is_used !== false || !isItsProposal(link, ticket, options)) return NOTHING;
  if (!claimsState(link.message, ticket.state)) return NOTHING;
  const isOffered = ticket.state === 'SCHEDULE_PROPOSED';
  const mine = openOptions(options, now).filter((row) => row.asked_contact_id === link.contact_id);
  const canMove = visit === null || sourcesOf('visit', 'schedule.reschedule').includes(visit.state);
  return {
    options: isOffered ? mine : [],
    otherTime: HAS_TIME.has(ticket.state) && ticket.requester_id === link.contact_id && canMove,
  };
}

/** The offer that its text spoke of still stands, and is one of this ticket. */
function isItsProposal(
  { message }: TappedLinkFacts,
  { id }: { readonly id: string },
  options: readonly OptionRow[],
) {
  const { claim } = message;
  return (
    message.ticket_id === id &&
    claim.kind === 'option' &&
    options.some((row) => row.id === claim.option_id && row.ticket_id === id)
  );
}

/** What the text said is what is the case. */
export function claimsState({ claim }: MessageRow, state: TicketState): boolean {
  return claim.kind === 'option' && claim.states.includes(state);
}
