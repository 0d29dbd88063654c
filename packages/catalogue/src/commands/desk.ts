import { type CommandEntry, command, own, staff } from '../define.ts';
import { choice, object } from '../fields.ts';
import { STAFF_PHRASES } from '../messages.ts';

/** A person takes the word, and gives it back. */
export const DESK_COMMANDS: readonly CommandEntry[] = [
  command('conversation.take_over', {
    summary: 'A person answers from now on; the agent is silent.',
    target: 'conversation',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({}),
    needs: ['conversation'],
  }),
  command('conversation.hand_back', {
    summary: 'The agent answers again.',
    target: 'conversation',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({}),
    needs: ['conversation'],
  }),
  command('conversation.close', {
    summary:
      'The words are over: the next message opens another conversation. Not while anything waits in this one.',
    target: 'conversation',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({}),
    needs: ['conversation', 'loose_ends'],
  }),
  command('message.send', {
    summary:
      'Sends the requester a reviewed sentence; facts of the ticket are told by the commands that commit them.',
    target: 'ticket',
    who: [own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({ phrase: choice(STAFF_PHRASES) }),
    needs: ['visit', 'conversation'],
  }),
];
