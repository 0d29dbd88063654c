import { type CommandEntry, command, own, scheduling, staff } from '../define.ts';
import { choice, object, optional, reference, word } from '../fields.ts';
import { DELAY_OWNERS } from './ticket.ts';

export const DECLINE_REASONS = ['NOT_AVAILABLE', 'TOO_FAR', 'NOT_MY_TRADE', 'OTHER'] as const;

/** What a contact says of offered times: one of them, or others. */
export const CHOICE_KINDS = ['OPTION', 'OTHER_TIME'] as const;

const system = { role: 'system', membership: 'tenant' } as const;

/** From a job that is ready to somebody on the way: options, promise, trip. Times are never written by a caller. */
export const SCHEDULE_COMMANDS: readonly CommandEntry[] = [
  command('schedule.propose', {
    summary: 'Offers one to three times, which the engine chooses, and holds a technician for each.',
    target: 'ticket',
    who: staff('dispatcher'),
    agents: scheduling(2),
    proof: 'L1',
    input: object({}),
    agentInput: object({}),
    needs: ['schedule', 'roster', 'turn', 'conversation', 'autonomy'],
  }),
  command('schedule.confirm', {
    summary: 'Takes one of the offered times, while it is held.',
    target: 'ticket',
    who: [own('requester'), ...staff('dispatcher')],
    agents: scheduling(2),
    proof: 'L1',
    input: object({ option_id: reference('option') }),
    /** The choice says which option: an agent has nothing to say beside it. */
    agentInput: object({ choice_id: reference('choice') }),
    needs: ['schedule', 'turn', 'conversation', 'autonomy'],
  }),
  command('choice.make', {
    summary:
      'A tap on the page of a link: one of the offered times, or the wish for others. It confirms nothing.',
    target: 'none',
    who: [{ role: 'link', membership: 'own' }],
    proof: 'L1',
    input: object({
      /** The secret in the link that was sent to the contact. */
      link: word('^[0-9a-f]{34}$', 34),
      kind: choice(CHOICE_KINDS),
      option_id: optional(reference('option')),
    }),
    needs: ['tapped_link', 'schedule', 'visit', 'conversation', 'autonomy'],
  }),
  command('schedule.release', {
    summary: 'Takes the offered times back; their technicians are free again.',
    target: 'ticket',
    who: [...staff('dispatcher'), system],
    agents: scheduling(2),
    proof: 'L1',
    input: object({}),
    agentInput: object({}),
    needs: ['schedule', 'turn', 'conversation', 'autonomy'],
  }),
  command('schedule.reschedule', {
    summary: 'Gives up the agreed time, with an owner of the delay; not once somebody is on the way.',
    target: 'ticket',
    who: [own('requester'), ...staff('dispatcher')],
    agents: scheduling(2),
    proof: 'L1',
    /** Whose delay it is; a requester owns their own. */
    input: object({ owner: optional(choice(DELAY_OWNERS)) }),
    agentInput: object({ choice_id: reference('choice') }),
    needs: ['schedule', 'visit', 'turn', 'conversation', 'autonomy'],
  }),
  command('visit.dispatch', {
    summary: 'Offers the agreed time to a technician: the one it is held for, or another who may be sent.',
    target: 'ticket',
    who: staff('dispatcher'),
    agents: scheduling(3),
    proof: 'L1',
    input: object({ technician_id: reference('technician') }),
    agentInput: object({}),
    needs: ['schedule', 'visit', 'technician', 'turn', 'conversation', 'autonomy'],
  }),
  command('visit.depart', {
    summary: 'The technician is on the way.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({}),
    needs: ['visit', 'conversation'],
  }),
  command('visit.decline', {
    summary: 'The technician does not take the offered visit; somebody else has to be found.',
    target: 'ticket',
    who: [own('technician')],
    proof: 'L1',
    input: object({ reason: choice(DECLINE_REASONS) }),
    needs: ['visit'],
  }),
  command('visit.reassign', {
    summary: 'Sends somebody else instead: the visit that was offered is cancelled.',
    target: 'ticket',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({ technician_id: reference('technician') }),
    needs: ['schedule', 'visit', 'technician', 'conversation'],
  }),
  command('visit.escalate', {
    summary: 'Nobody took the offered visit in the time that its priority gives: a person looks.',
    target: 'ticket',
    who: [system],
    proof: 'L1',
    input: object({}),
    needs: ['visit'],
  }),
  command('visit.miss', {
    summary: 'Nobody arrived in the agreed time, or took the visit at all: the ticket needs another.',
    target: 'ticket',
    who: [system],
    proof: 'L1',
    input: object({}),
    needs: ['schedule', 'visit', 'conversation'],
  }),
];
