import type { AutonomyLevel, Need, PersonRole, SubjectKind } from '@deadlatch/catalogue';
import type {
  ApprovalRow,
  ConversationRow,
  EvidenceRow,
  InvoiceRow,
  MessageRow,
  TicketRow,
  TurnRow,
  VisitRow,
} from './rows.ts';

/**
 * All that the database knows and `decide` may use: the answer of `dispatch.read_facts`.
 * Absent means null, and null never permits.
 */
export interface Facts {
  /** Database time, RFC 3339 with milliseconds. */
  readonly now: string;
  /** How many events the Merkle log has, as this database says. */
  readonly log_size: number;
  /**
   * Whether a witness has seen, within the deadline, that the log grows and leaves nothing waiting. Not read from the
   * database, which would be its own witness; whatever is not `timely` is late.
   */
  readonly witness: 'timely' | 'late';
  readonly tenant: { readonly id: string; readonly autonomy_version: number };
  /** The answer stored under this idempotency key, if any. */
  readonly stored: StoredAnswer | null;
  /** The subject as a row; null when unknown or not active. */
  readonly subject: SubjectFacts | null;
  readonly ticket: TicketRow | null;
  /** The human being who opened the ticket, active or not; null when nobody did, or nobody knows who. */
  readonly requester_person_id: string | null;
  readonly account: AccountFacts | null;
  readonly site: SiteFacts | null;
  /** The ticket's one visit that is not over. */
  readonly visit: VisitRow | null;
  /** Whoever is to be dispatched (`refs.technician_id`); without such a reference, the technician of `visit`. */
  readonly technician: TechnicianFacts | null;
  /** The approval the command names. */
  readonly approval: ApprovalRow | null;
  /** Every approval of the ticket, oldest first. */
  readonly approvals: readonly ApprovalRow[];
  /** Contacts of the account who may approve, with limits: candidates for a decider, largest limit last. */
  readonly approvers: readonly ApproverFacts[];
  /** Finalized evidence of the ticket. */
  readonly evidence: readonly Pick<EvidenceRow, 'id' | 'key' | 'phase' | 'visit_id' | 'finalized_at'>[];
  readonly evidence_item: EvidenceRow | null;
  /** What dispatch-api found in the object store for `evidence.finalize`; null when there is no such object. */
  readonly observed_object: ObservedObject | null;
  readonly tests: readonly {
    readonly test: string;
    readonly passed: boolean;
    readonly value: number | null;
    readonly recorded_at: string;
  }[];
  readonly costs: CostFacts;
  readonly completion: CompletionFacts | null;
  readonly invoice: InvoiceRow | null;
  readonly conversation: ConversationRow | null;
  readonly turn: TurnRow | null;
  /** The ticket that a conversation already has open. */
  readonly open_ticket_of_conversation: TicketRow | null;
  /** Looked up for agents and for who needs it; level 0 and paused for everybody else, whom it does not hold back. */
  readonly autonomy: AutonomyFacts;
  readonly message: MessageRow | null;
  /** For `message.receive`: what is known of the provider id and the sender. */
  readonly inbound: InboundFacts | null;
}

export interface StoredAnswer {
  /** Keyed digest of the body that was answered. */
  readonly fingerprint: string;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly event_id: string;
  /** Of that event: when it was decided, and the hash under which it is in the log. */
  readonly event_time: string;
  readonly leaf_hash: string;
}

export interface SubjectFacts {
  readonly kind: SubjectKind;
  readonly id: string;
  /** The human being behind it: two subjects of one person are compared by this. */
  readonly person_id: string;
  /** Role grants of staff; `['technician']` for a technician; empty for a contact (see memberships). */
  readonly roles: readonly PersonRole[];
  /** What a contact may do, by account and site. */
  readonly memberships: readonly ContactMembership[];
}

export interface ContactMembership {
  readonly account_id: string;
  /** null: every site of the account. */
  readonly site_id: string | null;
  readonly may_request: boolean;
  readonly may_approve: boolean;
  readonly approval_limit_cents: number;
  /** When the row was last changed; within 24 h it cannot approve. */
  readonly changed_at: string;
}

export interface AccountFacts {
  readonly id: string;
  readonly authority_version: number;
  readonly contract: ContractFacts;
}

export interface ContractFacts {
  readonly nte_cents: Readonly<Record<'ROUTINE' | 'URGENT' | 'EMERGENCY', number>>;
  readonly labor_cents_per_hour: number;
  readonly trip_cents: number;
  readonly quote_first: boolean;
  /** Closing without payment on record. */
  readonly close_when_issued: boolean;
  /** Hours in which a dispatcher may send somebody alone, in the site's zone; null: around the clock. */
  readonly desk_hours: { readonly from_minute: number; readonly to_minute: number } | null;
}

export interface SiteFacts {
  readonly id: string;
  readonly account_id: string;
  /** What people of the account call it: a code, not an address. */
  readonly slug: string;
  readonly time_zone: string;
  readonly territory: string;
}

export interface TechnicianFacts {
  readonly id: string;
  readonly person_id: string;
  readonly active: boolean;
  readonly skills: readonly string[];
  readonly territories: readonly string[];
  /** Something is booked, or softly held, within the time that the visit would take. */
  readonly has_overlap: boolean;
}

export interface ApproverFacts {
  readonly contact_id: string;
  readonly person_id: string;
  readonly approval_limit_cents: number;
  readonly changed_at: string;
}

export interface ObservedObject {
  readonly sha256: string;
  readonly size_bytes: number;
  readonly content_key: string;
}

export interface CostFacts {
  readonly parts: readonly {
    readonly part_number: string;
    readonly quantity: number;
    readonly unit_cents: number;
  }[];
  readonly minutes: number;
}

export interface CompletionFacts {
  readonly id: string;
  readonly submitted_by: string;
  /** What qa found wanting in this or an earlier completion of the ticket, and nobody has remedied. */
  readonly open_remedies: readonly OpenRemedy[];
}

export interface OpenRemedy {
  readonly key: string;
  /** When it was last found wanting: what was on file by then is no answer. */
  readonly since: string;
}

export interface AutonomyFacts {
  readonly level: AutonomyLevel;
  /** Any pause that covers this tenant, account or ticket. */
  readonly paused: boolean;
}

export interface InboundFacts {
  /** The message already stored under this provider id. */
  readonly known_message_id: string | null;
  /** An active contact with this id, if the gateway named one. */
  readonly contact_id: string | null;
  readonly contact_account_ids: readonly string[];
  /** Sites the contact may write about. */
  readonly site_ids: readonly string[];
  /** The contact's conversation that is not closed. */
  readonly conversation: ConversationRow | null;
  /** Whether this sender already has a report today. */
  readonly reported_today: boolean;
}

/** Names of facts that a catalogue entry may ask for beyond the ones every command gets. */
export type FactName = Need;
