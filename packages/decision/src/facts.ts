import type { AutonomyLevel, Need, PersonRole, SubjectKind, UnusableReason } from '@deadlatch/catalogue';
import type { BatchFacts, ContractFacts, DirectoryFacts } from './directory-rows.ts';
import type { PublicationFacts } from './publication-facts.ts';
import type {
  ApprovalRow,
  ConversationRow,
  EvidenceRow,
  InvoiceRow,
  MessageRow,
  SuggestionRow,
  TicketRow,
  TurnRow,
  VisitRow,
} from './rows.ts';
import type { InboundSchedule, ScheduleFacts, TappedLinkFacts, TechnicianFacts } from './schedule-facts.ts';

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
  /** The ticket's one visit that is not over; once work was handed in, the visit it was handed in from. */
  readonly visit: VisitRow | null;
  /** Whoever is to be sent: the one who is named, else the one of `visit`, else the one an agreed time is held for. */
  readonly technician: TechnicianFacts | null;
  /** Every active technician of the tenant, where somebody has to be found; `[]` where nobody asks. */
  readonly roster: readonly TechnicianFacts[];
  readonly schedule: ScheduleFacts | null;
  /** The live link whose secret was sent; its ticket is `ticket`. */
  readonly tapped_link: TappedLinkFacts | null;
  /** The approval the command names. */
  readonly approval: ApprovalRow | null;
  /** Every approval of the ticket, oldest first. */
  readonly approvals: readonly ApprovalRow[];
  /** Contacts of the account who may approve, with limits: candidates for a decider, largest limit last. */
  readonly approvers: readonly ApproverFacts[];
  /** Finalized evidence of the ticket. */
  readonly evidence: readonly Pick<EvidenceRow, 'id' | 'key' | 'phase' | 'visit_id' | 'finalized_at'>[];
  readonly evidence_item: EvidenceRow | null;
  /** Announced within the last day and not finalized; null where nobody asked. */
  readonly open_uploads: number | null;
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
  /** What of the conversation nobody has finished. */
  readonly loose_ends: LooseEnds | null;
  readonly turn: TurnRow | null;
  /** The ticket that a conversation already has open. */
  readonly open_ticket_of_conversation: TicketRow | null;
  /** Looked up for agents and for who needs it; level 0 and paused for everybody else, whom it does not hold back. */
  readonly autonomy: AutonomyFacts;
  readonly message: MessageRow | null;
  /** Who and where: what a command of the directory is about. */
  readonly directory: DirectoryFacts | null;
  /** Of the incident type or template that the command names. */
  readonly publications: PublicationFacts | null;
  /** What the rows of a batch name; null where there is none. */
  readonly batch: BatchFacts | null;
  /** For `message.receive`: what is known of the provider id and the sender. */
  readonly inbound: InboundFacts | null;
  /** The report that the command names. */
  readonly report: ReportFacts | null;
  /** Recalls of the ticket that are not over. */
  readonly open_recalls: number | null;
  /** Open tickets of the site that can be the same as the target: the named one, or the oldest few. */
  readonly duplicates: readonly TicketRow[];
  /** The suggestion that the command names, and whom the agent acted for, as a row of now. */
  readonly suggestion: SuggestionRow | null;
  readonly suggested_for: SubjectFacts | null;
  /** What was suggested in the conversation and waits; for agents. */
  readonly open_suggestions: readonly Pick<SuggestionRow, 'id' | 'sameness'>[];
  /** Who has said yes to what on the target, oldest first. */
  readonly consents: readonly ConsentFacts[];
}

export interface LooseEnds {
  readonly open_tickets: number;
  readonly open_suggestions: number;
  /** The last word is the contact's, or promised them a person. */
  readonly is_unanswered: boolean;
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

export interface SiteFacts {
  readonly id: string;
  readonly account_id: string;
  /** What people of the account call it: a code, not an address. */
  readonly slug: string;
  readonly time_zone: string;
  readonly territory: string;
}

export interface ApproverFacts {
  readonly contact_id: string;
  readonly person_id: string;
  readonly approval_limit_cents: number;
  readonly changed_at: string;
}

export interface ObservedObject {
  /** Of the bytes that were uploaded. */
  readonly sha256: string;
  readonly size_bytes: number;
  /** The picture drawn anew from them, under a name that no upload can write; null when it is not kept. */
  readonly kept: KeptPicture | null;
  /** Why there is no picture, where there were the announced bytes. */
  readonly unusable: UnusableReason | null;
}

export interface KeptPicture {
  readonly content_key: string;
  readonly sha256: string;
  readonly size_bytes: number;
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
  /** Of the ticket that the conversation is about; null without one. */
  readonly schedule: InboundSchedule | null;
}

/** Words of a stranger as they came in. */
export interface ReportFacts {
  readonly tenant_id: string;
  readonly id: string;
  readonly message_id: string;
  /** Vault handle of the words. */
  readonly text_id: string | null;
  /** Null until a person attached them. */
  readonly attached_ticket_id: string | null;
  readonly reported_at: string;
}

/** One person's yes to an act on the ticket that needs two. */
export interface ConsentFacts {
  readonly act: 'evidence.waive' | 'billing.void';
  /** What it is about: an evidence key, or an invoice. */
  readonly object: string;
  /** At which version; 0 for what has none. */
  readonly object_version: number;
  readonly role: PersonRole;
  readonly staff_id: string;
  readonly person_id: string;
}

/** Names of facts that a catalogue entry may ask for beyond the ones every command gets. */
export type FactName = Need;
