import type { ChoiceRow, OptionRow, TicketRow } from '@deadlatch/decision';
import type { CommandPath } from '@deadlatch/postgres';
import { commitOf, instantIn, newId, newMessage, newTicket, next, ticketStep } from './commits.ts';
import type { SeededTenant } from './seed.ts';

const HOUR = 3_600_000;
/** Out of the way of whatever else a test books. */
const FAR = 4_800 * HOUR;

/** A time that was offered an hour ago and is held for another. @param fromMs when it begins, from now */
export function newOption(
  t: SeededTenant,
  ticketId: string,
  fromMs: number = FAR,
  over: Partial<OptionRow> = {},
): OptionRow {
  return {
    id: newId(),
    ticket_id: ticketId,
    number: 1,
    window_from: instantIn(fromMs),
    window_to: instantIn(fromMs + HOUR),
    technician_id: t.technicians.tom,
    visit_from: instantIn(fromMs),
    visit_to: instantIn(fromMs + HOUR),
    asked_contact_id: t.contacts.maria,
    proposed_at: instantIn(-HOUR),
    held_until: instantIn(HOUR),
    confirmed_at: null,
    ...over,
  };
}

/** A ticket that is ready to be scheduled. */
export async function readyTicket(path: CommandPath, t: SeededTenant): Promise<TicketRow> {
  const created = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, created));
  const triaged = next(created, { state: 'TRIAGED', priority: 'ROUTINE' });
  await path.commitDecision(ticketStep(t, 'ticket.triage', created, triaged));
  const ready = next(triaged, { state: 'READY_TO_SCHEDULE' });
  await path.commitDecision(ticketStep(t, 'ticket.ready', triaged, ready));
  return ready;
}

/** The commit that offers these times. */
export function proposal(t: SeededTenant, ready: TicketRow, options: readonly OptionRow[]) {
  return ticketStep(t, 'schedule.propose', ready, next(ready, { state: 'SCHEDULE_PROPOSED' }), {
    changes: { options },
  });
}

/** Three times are offered, the second is chosen in a message, and agreed on. */
export async function playSchedule(path: CommandPath, t: SeededTenant) {
  const ready = await readyTicket(path, t);
  const options = [1, 2, 3].map((number) => newOption(t, ready.id, FAR + number * HOUR, { number }));
  const proposed = next(ready, { state: 'SCHEDULE_PROPOSED' });
  await path.commitDecision(proposal(t, ready, options));
  const option = options[1] as OptionRow;
  const message = newMessage(t, { contact_id: t.contacts.maria });
  const choice: ChoiceRow = {
    id: newId(),
    ticket_id: ready.id,
    kind: 'OPTION',
    option_id: option.id,
    contact_id: t.contacts.maria,
    message_id: message.id,
    link_hash: null,
    channel: 'sms',
    made_at: instantIn(),
    consumed_at: null,
  };
  await path.commitDecision(
    commitOf(t, 'message.receive', { changes: { inbound_message: message, choice } }),
  );
  const agreed = next(proposed, { state: 'SCHEDULED' });
  await path.commitDecision(
    ticketStep(t, 'schedule.confirm', proposed, agreed, {
      changes: { confirm_option: option.id, consume_choice: choice.id },
    }),
  );
  return { agreed, option, choice, options };
}
