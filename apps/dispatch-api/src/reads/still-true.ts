import type { MessageNow } from './delivery.sql.ts';

/**
 * Whether what a message asserts is what the rows say now. It is asked at delivery: between the commit that
 * queued a text and the moment it leaves, the world may have moved on (T2.6).
 * @invariant a claim of a kind that is not listed, or about a row that is gone, is not true
 */
export function isStillTrue({ message, ticket, approval }: MessageNow): boolean {
  const { claim } = message;
  switch (claim.kind) {
    case 'none':
      return true;
    case 'ticket_state':
      return ticket !== null && claim.states.includes(ticket.state);
    case 'approval_state':
      return approval !== null && approval.state === claim.state;
    default:
      return false;
  }
}
