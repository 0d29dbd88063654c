import type { MessageNow } from './delivery.sql.ts';

/**
 * Whether a message may still be said: what it asserts is what the rows say now, and what an agent chose to say is
 * said by an agent that may still speak. It is asked at delivery: between the commit that queued a text and the moment
 * it leaves, the world may have moved on (T2.6).
 * @invariant a claim of a kind that is not listed, or about a row that is gone, is not true
 * @invariant no words of an agent leave while it is paused or a person has the conversation
 */
export function isStillTrue(now: MessageNow): boolean {
  const { message, ticket, approval, option_stands: optionStands } = now;
  const { claim } = message;
  if (message.template?.startsWith('phrase:') === true && !mayAgentSpeak(now)) return false;
  switch (claim.kind) {
    case 'none':
      return true;
    case 'ticket_state':
      return ticket !== null && claim.states.includes(ticket.state);
    case 'option':
      return optionStands === true && ticket !== null && claim.states.includes(ticket.state);
    case 'approval_state':
      return approval !== null && approval.state === claim.state;
    case 'human_in_charge':
      return now.conversation_state === 'HUMAN';
    default:
      return false;
  }
}

function mayAgentSpeak({ conversation_state: state, paused }: MessageNow): boolean {
  return paused === false && state === 'AGENT';
}
