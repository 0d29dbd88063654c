import type { InboundFacts } from './facts.ts';
import { openOptions } from './options.ts';
import type { MessageDraft } from './rows.ts';
import type { ChoiceRow } from './schedule-facts.ts';
import { HAS_TIME } from './tapped-link.ts';

/** The number is all that the message says. A sentence with a number in it is a sentence. */
const WHOLE_NUMBER = /^\s*(?:option\s*#?\s*)?([0-3])\s*[.!)]?\s*$/i;

/** What a contact answers with who wants none of the offered times, or another than the agreed one. */
const OTHER_TIME = 0;

/**
 * The choice that a message holds, read by nothing but a pattern: `2` or `option 2`, from the contact who was asked,
 * while the offer is open; `0` for another time.
 * @param text masked; null when it was withheld, and then nothing was chosen
 * @returns null for everything else: "yes", "no", "2 or 3" and "2 doors" choose nothing
 * @invariant nobody but the requester of the very ticket chooses; a number that is not on offer chooses nothing
 * @source T1.10; the domain: `schedule.confirm`
 */
export function readChoice(
  inbound: InboundFacts,
  message: MessageDraft,
  text: string | null,
  now: { readonly ms: number; readonly text: string; readonly newId: () => string },
): ChoiceRow | null {
  const { contact_id: contactId, schedule } = inbound;
  const digit = WHOLE_NUMBER.exec(text ?? '')?.[1];
  if (digit === undefined || schedule === null || contactId === null) return null;
  const number = Number(digit);
  const made = {
    id: now.newId(),
    ticket_id: schedule.ticket_id,
    contact_id: contactId,
    message_id: message.id,
    link_hash: null,
    channel: message.channel,
    made_at: now.text,
    consumed_at: null,
  };
  if (number === OTHER_TIME) {
    const hasTime = HAS_TIME.has(schedule.ticket_state);
    const isTheirs = schedule.requester_id === contactId;
    return hasTime && isTheirs ? { ...made, kind: 'OTHER_TIME', option_id: null } : null;
  }
  if (schedule.ticket_state !== 'SCHEDULE_PROPOSED') return null;
  const option = openOptions(schedule.options, now.ms).find((row) => row.number === number);
  if (option === undefined || option.asked_contact_id !== contactId) return null;
  return { ...made, kind: 'OPTION', option_id: option.id };
}
