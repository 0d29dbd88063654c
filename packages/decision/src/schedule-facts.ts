import type { Channel, TicketState } from '@deadlatch/catalogue';
import type { WorkingHours } from '@deadlatch/scheduling';
import type { MessageRow } from './rows.ts';

/** Where something is, as far as it is on file. */
export interface PlaceFacts {
  readonly lat_e6: number | null;
  readonly lon_e6: number | null;
  readonly territory: string | null;
}

/** A technician with their time: what the engine asks of everybody it considers. */
export interface TechnicianFacts {
  readonly id: string;
  readonly person_id: string;
  readonly active: boolean;
  readonly skills: readonly string[];
  readonly territories: readonly string[];
  readonly certifications: readonly {
    readonly name: string;
    readonly valid_from: string;
    readonly valid_until: string;
  }[];
  /** null: unknown. */
  readonly home: PlaceFacts | null;
  /** null: none on file, and so never on duty. */
  readonly shifts: WorkingHours | null;
  readonly absences: readonly { readonly starts_at: string; readonly ends_at: string }[];
  /** What other tickets take of their time: visits, agreed times, and offers that are still held. */
  readonly commitments: readonly {
    readonly starts_at: string;
    readonly ends_at: string;
    readonly place: PlaceFacts;
  }[];
}

/** A time that was offered, and what became of it. */
export interface OptionRow {
  readonly id: string;
  readonly ticket_id: string;
  readonly number: number;
  /** Somebody arrives within it. */
  readonly window_from: string;
  readonly window_to: string;
  readonly technician_id: string;
  /** When the technician would work. */
  readonly visit_from: string;
  readonly visit_to: string;
  /** null: the ticket has no requester, and only a dispatcher can take it. */
  readonly asked_contact_id: string | null;
  readonly proposed_at: string;
  readonly held_until: string;
  readonly confirmed_at: string | null;
}

/** What plain code read in a whole message, or a tap on a link said: an option, or the wish for another time. */
export interface ChoiceRow {
  readonly id: string;
  readonly ticket_id: string;
  readonly kind: 'OPTION' | 'OTHER_TIME';
  /** null for `OTHER_TIME`. */
  readonly option_id: string | null;
  readonly contact_id: string;
  /** The message that it was read in; a tap makes one. */
  readonly message_id: string;
  /** By which link it was tapped; null for what was read in a text. */
  readonly link_hash: string | null;
  readonly channel: Channel;
  readonly made_at: string;
  readonly consumed_at: string | null;
}

/** What a ticket has on the calendar. */
export interface ScheduleFacts {
  readonly site: { readonly hours: WorkingHours | null; readonly place: PlaceFacts };
  /** Offered and not taken back, by number. */
  readonly options: readonly OptionRow[];
  /** The newest first, at most ten. */
  readonly choices: readonly ChoiceRow[];
}

/** A live link of purpose `choice`, found by the hash of its secret. */
export interface TappedLinkFacts {
  readonly tenant_id: string;
  readonly hash: string;
  /** Whom it was sent to, who is still on file. */
  readonly contact_id: string;
  /** Whether a choice was made by it. */
  readonly is_used: boolean;
  /** The text of ours that it stood in. */
  readonly message: MessageRow;
}

/** The ticket that an inbound message could be about, and what was offered for it. */
export interface InboundSchedule {
  readonly ticket_id: string;
  readonly ticket_state: TicketState;
  readonly requester_id: string | null;
  readonly options: readonly OptionRow[];
}
