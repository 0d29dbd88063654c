import type { WorkingHours } from '@deadlatch/scheduling';
import type { MessageRow, VisitRow } from '../rows.ts';
import type {
  ChoiceRow,
  OptionRow,
  PlaceFacts,
  ScheduleFacts,
  TappedLinkFacts,
  TechnicianFacts,
} from '../schedule-facts.ts';
import { fixedId, IDS, personOf } from './ids.ts';
import { at, HOUR, LONG_AGO, MINUTE, messageRow } from './rows.ts';
import { sha256Base64Url } from './tools.ts';

export const OPTION_IDS = [fixedId(0x301), fixedId(0x302), fixedId(0x303)] as const;
export const CHOICE_ID = fixedId(0x310);
/** The fixtures' other technician. */
export const TESS_ID = fixedId(40);

/** Around the clock, every day. */
export const ALWAYS: WorkingHours = hours(0, 24 * 60);

export function hours(from_minute: number, to_minute: number): WorkingHours {
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from_minute, to_minute }));
  return { time_zone: 'America/New_York', weekly, exceptions: [] };
}

export const STORE: PlaceFacts = { lat_e6: 40_713_000, lon_e6: -74_006_000, territory: 'north' };
const HOME: PlaceFacts = { lat_e6: 40_730_000, lon_e6: -73_990_000, territory: 'north' };

export function technicianFacts(patch: Partial<TechnicianFacts> = {}): TechnicianFacts {
  return {
    id: IDS.technician,
    person_id: personOf(patch.id ?? IDS.technician),
    active: true,
    skills: ['locksmith'],
    territories: ['north'],
    certifications: [],
    home: HOME,
    shifts: ALWAYS,
    absences: [],
    commitments: [],
    ...patch,
  };
}

/** The second of three times: tomorrow from ten to twelve. */
export function optionRow(patch: Partial<OptionRow> = {}): OptionRow {
  return {
    id: OPTION_IDS[1],
    ticket_id: IDS.ticket,
    number: 2,
    window_from: at(24 * HOUR),
    window_to: at(26 * HOUR),
    technician_id: IDS.technician,
    visit_from: at(24 * HOUR),
    visit_to: at(26 * HOUR),
    asked_contact_id: IDS.requester,
    proposed_at: at(-10 * MINUTE),
    held_until: at(HOUR),
    confirmed_at: null,
    ...patch,
  };
}

/** Three times, as they were offered ten minutes ago. */
export function openOptionRows(patch: Partial<OptionRow> = {}): readonly OptionRow[] {
  return [1, 2, 3].map((number) => {
    const from = (22 + number * 2) * HOUR;
    const window = { window_from: at(from), window_to: at(from + 2 * HOUR) };
    const visit = { visit_from: at(from), visit_to: at(from + 2 * HOUR) };
    return optionRow({ id: OPTION_IDS[number - 1] ?? '', number, ...window, ...visit, ...patch });
  });
}

export function agreedOptionRow(patch: Partial<OptionRow> = {}): OptionRow {
  return optionRow({ confirmed_at: at(-5 * MINUTE), ...patch });
}

/** "2", in the message that opened the fixtures' turn. */
export function choiceRow(patch: Partial<ChoiceRow> = {}): ChoiceRow {
  return {
    id: CHOICE_ID,
    ticket_id: IDS.ticket,
    kind: 'OPTION',
    option_id: OPTION_IDS[1],
    contact_id: IDS.requester,
    message_id: IDS.message,
    link_hash: null,
    channel: 'sms',
    made_at: at(-MINUTE),
    consumed_at: null,
    ...patch,
  };
}

export function otherTime(patch: Partial<ChoiceRow> = {}): ChoiceRow {
  return choiceRow({ kind: 'OTHER_TIME', option_id: null, ...patch });
}

export function scheduleFacts(patch: Partial<ScheduleFacts> = {}): ScheduleFacts {
  return { site: { hours: ALWAYS, place: STORE }, options: [], choices: [], ...patch };
}

/** What stands in the link of the fixtures' offer. */
export const LINK_SECRET = '0123456789abcdef0123456789abcdef01';

/** The text that offered the fixtures' times, and told the agreed one. */
export function tapSaid(patch: Partial<MessageRow> = {}): MessageRow {
  return messageRow({
    id: fixedId(0x311),
    template: 'M05',
    claim: {
      kind: 'option',
      option_id: OPTION_IDS[0],
      states: ['SCHEDULE_PROPOSED', 'SCHEDULED', 'DISPATCHED'],
    },
    ...patch,
  });
}

export function tappedLink(patch: Partial<TappedLinkFacts> = {}): TappedLinkFacts {
  return {
    tenant_id: IDS.tenant,
    hash: sha256Base64Url(LINK_SECRET),
    contact_id: IDS.requester,
    is_used: false,
    message: tapSaid(),
    ...patch,
  };
}

/** Of the ticket, of another of the account, or none at all. */
export function tapOf(membership: 'own' | 'account' | 'other'): TappedLinkFacts | null {
  if (membership === 'other') return null;
  return tappedLink(membership === 'own' ? {} : { message: tapSaid({ ticket_id: IDS.otherTicket }) });
}

/** A certification that is good for a year around the fixtures' now. */
export function certified(name: string, until: string = at(365 * 24 * HOUR)) {
  return { name, valid_from: LONG_AGO, valid_until: until };
}

/** The calendar under which a command's rule accepts. @param isTimer time is up */
export function scheduleOf(command: string, isTimer: boolean): ScheduleFacts {
  switch (command) {
    case 'schedule.confirm':
      return scheduleFacts({ options: openOptionRows(), choices: [choiceRow()] });
    case 'choice.make':
      return scheduleFacts({ options: openOptionRows() });
    case 'schedule.release':
      return scheduleFacts({ options: openOptionRows(isTimer ? { held_until: at(-1) } : {}) });
    case 'schedule.reschedule':
      return scheduleFacts({ options: [agreedOptionRow()], choices: [otherTime()] });
    case 'visit.dispatch':
    case 'visit.reassign':
      return scheduleFacts({ options: [agreedOptionRow()] });
    default:
      return scheduleFacts();
  }
}

/** How the live visit of a ticket stands for a command about trips; null: there is none; undefined: not about one. */
export function tripOf(command: string): Partial<VisitRow> | null | undefined {
  switch (command) {
    case 'choice.make':
    case 'schedule.reschedule':
    case 'visit.dispatch':
      return null;
    case 'visit.depart':
      return { state: 'ACCEPTED' };
    case 'visit.decline':
      return { state: 'OFFERED' };
    case 'visit.reassign':
      return { state: 'OFFERED', emergency: false, technician_id: TESS_ID };
    case 'visit.escalate':
      return { state: 'OFFERED', answer_by: at(-1) };
    case 'visit.miss':
      return { state: 'ACCEPTED', ends_at: at(-1), emergency: true };
    default:
      return undefined;
  }
}
