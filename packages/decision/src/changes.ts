import type { ObjectKind } from '@deadlatch/catalogue';
import type { ErrorCode } from '@deadlatch/kernel';
import type {
  AccountRow,
  ActRow,
  AssetRow,
  ContactCodeRow,
  ContactRow,
  MembershipRow,
  SiteRow,
  SiteScheduleRow,
  TechnicianRow,
  TechnicianScheduleRow,
} from './directory-rows.ts';
import type { ConsentFacts } from './facts.ts';
import type { PublicationFacts, PublicationRow } from './publication-facts.ts';
import type {
  ApprovalRow,
  ConversationRow,
  EvidenceRow,
  InvoiceRow,
  MessageDraft,
  SuggestionRow,
  TicketRow,
  TurnRow,
  VisitRow,
} from './rows.ts';
import type { ChoiceRow, OptionRow } from './schedule-facts.ts';

/**
 * Exactly what `dispatch.commit_decision` writes. Whole rows: the new `version` is in the row, and the
 * statement demands that the stored one is `version - 1` (no row for version 1).
 */
export interface Changes {
  readonly ticket?: TicketRow;
  readonly visit?: VisitRow;
  /** The visit that `visit` takes the place of. */
  readonly cancelled_visit?: VisitRow;
  readonly approval?: ApprovalRow;
  readonly invoice?: InvoiceRow;
  readonly evidence?: EvidenceRow;
  readonly conversation?: ConversationRow;
  readonly account?: AccountRow;
  readonly site?: SiteRow;
  readonly asset?: AssetRow;
  readonly contact?: ContactRow;
  readonly memberships?: readonly MembershipRow[];
  /** Who comes on file together, each at version 1, with what their account calls them. */
  readonly contacts?: readonly ContactRow[];
  readonly contact_codes?: readonly ContactCodeRow[];
  readonly technician?: TechnicianRow;
  readonly technician_schedule?: TechnicianScheduleRow;
  readonly site_schedule?: SiteScheduleRow;
  /** Follows the last one of its name: the statement demands that nobody published it since. */
  readonly publication?: PublicationRow & Pick<PublicationFacts, 'kind' | 'name'>;
  /** Part of the account, whose version it names. */
  readonly autonomy?: { readonly account_id: string; readonly level: number; readonly version: number };
  readonly act?: ActRow;
  readonly act_confirmation?: {
    readonly act_id: string;
    readonly person_id: string;
    readonly staff_id: string;
  };
  /** Where one member of staff confirms one act: the secret is made and hashed by dispatch-api. */
  readonly act_links?: readonly {
    readonly act_id: string;
    readonly staff_id: string;
    readonly expires_at: string;
  }[];
  /** Occupies the technician from `starts_at` to `ends_at`. */
  readonly booking?: {
    readonly visit_id: string;
    readonly technician_id: string;
    readonly starts_at: string;
    readonly ends_at: string;
    /** The agreed time that becomes this visit: what was held for it is free in the same moment, and taken again. */
    readonly option_id?: string;
  };
  /** Offers of times; each holds its technician until `held_until`. */
  readonly options?: readonly OptionRow[];
  /** Its hold no longer ends by itself; the other offers of its ticket are taken back. */
  readonly confirm_option?: string;
  /** Takes back every offer of this ticket, agreed or not, with the time that is held for it. */
  readonly end_options_of?: string;
  readonly choice?: ChoiceRow;
  /** Counts once: the statement demands that it was not consumed. */
  readonly consume_choice?: string;
  /** Frees the technician of this visit. */
  readonly release_booking_of?: string;
  readonly part?: { readonly part_number: string; readonly quantity: number; readonly unit_cents: number };
  readonly minutes?: number;
  readonly test?: { readonly test: string; readonly passed: boolean; readonly value: number | null };
  readonly completion?: {
    readonly id: string;
    readonly visit_id: string;
    readonly submitted_by: string;
    readonly outcome: string;
    readonly work_note_text_id: string;
    readonly signature_kind: 'signed' | 'unavailable';
    readonly signature_text_id: string;
  };
  readonly verification?: {
    readonly completion_id: string;
    readonly result: 'PASS' | 'FAIL';
    readonly wanting: readonly string[];
    readonly verified_by: string;
    readonly note_text_id: string | null;
  };
  /** Answers every verification of the ticket that found the key wanting. */
  readonly remedies?: readonly { readonly key: string; readonly evidence_id: string | null }[];
  readonly pause?: { readonly scope: 'tenant' | 'account' | 'ticket'; readonly scope_id: string };
  readonly unpause?: { readonly scope: 'tenant' | 'account' | 'ticket'; readonly scope_id: string };
  /** Opens a turn; every earlier live turn of its conversation ends. */
  readonly turn?: TurnRow;
  /** Names the ticket that the turn just made. */
  readonly turn_ticket?: { readonly turn_id: string; readonly ticket_id: string };
  readonly inbound_message?: MessageDraft;
  /** What the model may see of the inbound message. */
  readonly context_entry?: {
    readonly conversation_id: string;
    readonly message_id: string;
    readonly mask_state: 'RELEASED' | 'WITHHELD';
    readonly masked_text: string | null;
  };
  /** Words of a stranger, waiting for a person. */
  readonly report?: {
    readonly id: string;
    readonly message_id: string;
    readonly sender_hash: string;
    readonly channel: string;
  };
  /** Words of a stranger become part of this ticket. */
  readonly attach?: { readonly report_id: string; readonly ticket_id: string };
  /** One person's yes to an act that needs two. */
  readonly consent?: ConsentDraft;
  readonly suggestion?: SuggestionRow;
  readonly delivery?: {
    readonly message_id: string;
    readonly state: 'SENT' | 'DELIVERED' | 'FAILED' | 'SUPERSEDED';
    readonly provider_id: string | null;
  };
  readonly timers?: readonly {
    readonly id: string;
    readonly kind:
      | 'approval.expire'
      | 'ticket.close'
      | 'suggestion.expire'
      | 'schedule.release'
      | 'visit.miss'
      | 'visit.escalate';
    readonly target_id: string;
    readonly due_at: string;
  }[];
  /** Texts to customers; each is also an outbox row. */
  readonly messages?: readonly MessageDraft[];
  /** Secret links handed out in messages: only the purpose is decided here, dispatch-api mints and hashes. */
  readonly links?: readonly LinkDraft[];
  /** Pages a person: a queue entry, never a text. */
  readonly tasks?: readonly { readonly kind: TaskKind; readonly ticket_id: string | null }[];
}

export type TaskKind =
  | 'safety_triage'
  | 'unapproved_yes'
  | 'delivery_failed'
  | 'approval_expired'
  | 'approval_locked'
  | 'times_unanswered'
  | 'choice_waits'
  | 'other_times_wanted'
  | 'offer_unanswered'
  | 'visit_declined'
  | 'visit_missed'
  | 'technician_to_tell'
  | 'cancel_requested'
  | 'invoice_disputed'
  | 'consent_needed'
  | 'suggestion_expired';

export interface ConsentDraft extends ConsentFacts {
  readonly reason_text_id: string;
}

export interface LinkDraft {
  readonly purpose: 'status' | 'approval' | 'choice';
  readonly contact_id: string;
  /** Ticket or approval id; for a choice, the message that it stands in. */
  readonly object_id: string;
  readonly expires_at: string;
}

/** One object that the event accounts for: the row of this version may exist only with this effect. */
export interface Effect {
  readonly object: ObjectKind;
  readonly id: string;
  readonly version: number;
  readonly before_state: string | '-';
  readonly after_state: string;
}

/** What the event says beyond who and how, which dispatch-api adds. No personal data, no free text. */
export interface EventDraft {
  readonly effects: readonly Effect[];
  readonly resource: { readonly kind: string; readonly id: string } | null;
  /** Values worth reading in the timeline: ids, enums, amounts. */
  readonly details: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
  readonly policy_ids: readonly string[];
  readonly policy_bundle: string;
}

export interface OutboxDraft {
  readonly kind: 'message.deliver' | 'agent.wake';
  /** message id or turn id */
  readonly ref_id: string;
  /** Deliveries of one key happen in order. */
  readonly order_key: string;
}

/** Fresh state after the command, as every caller may see it. */
export interface Answer {
  readonly ticket: {
    readonly id: string;
    readonly reference: string;
    readonly state: string;
    readonly version: number;
    readonly priority: string | null;
    readonly nte_cents: number;
  } | null;
  /** Ids and values that this command made. */
  readonly result: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

export interface Accepted {
  readonly kind: 'accepted';
  readonly changes: Changes;
  readonly event: EventDraft;
  readonly outbox: readonly OutboxDraft[];
  readonly answer: Answer;
}

/** The stored answer of the same request: nothing changes but the nonce. */
export interface Replayed {
  readonly kind: 'replayed';
  readonly answer: Readonly<Record<string, unknown>>;
  readonly eventId: string;
  readonly eventTime: string;
  readonly leafHash: string;
}

export interface Refused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  /** Public members of the problem document: `from_state`, `allowed_from`, `missing`. */
  readonly extra: Readonly<Record<string, string | number | readonly string[] | null>>;
  /** For audit only. */
  readonly detail: string;
  readonly policyIds: readonly string[];
}

/** An agent's wish that its level does not allow: nothing of it is done, and a suggestion is committed instead. */
export type Suggested = Omit<Accepted, 'kind'> & { readonly kind: 'suggested' };

export type Decision = Accepted | Suggested | Replayed | Refused;
