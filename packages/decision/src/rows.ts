import type {
  AgentRole,
  ApprovalKind,
  ApprovalState,
  Assurance,
  Channel,
  ConversationState,
  EvidencePhase,
  EvidenceState,
  InvoiceState,
  MessageState,
  Outcome,
  Priority,
  SubjectKind,
  SuggestionState,
  TicketState,
  VisitState,
} from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';

/**
 * Rows as the database holds them (column names, JSON values). Instants are RFC 3339 text, amounts whole cents.
 * `facts` hands whole rows in and changes hand whole rows back, so no column can be forgotten silently.
 */
interface Versioned<State> {
  readonly tenant_id: string;
  readonly id: string;
  /** Starts at 1; every change adds exactly 1 and has an audit event with the same number. */
  readonly version: number;
  readonly state: State;
}

export interface TicketRow extends Versioned<TicketState> {
  /** What people read and say: `DL-` and eight letters or digits. */
  readonly reference: string;
  readonly account_id: string;
  readonly site_id: string;
  readonly requester_id: string | null;
  readonly conversation_id: string | null;
  readonly resume_state: TicketState | null;
  readonly hold_reason: string | null;
  readonly hold_owner: string | null;
  readonly hold_until: string | null;
  readonly scope_capped: boolean;
  readonly outcome: Outcome | null;
  readonly incident_type: string | null;
  readonly incident_version: number | null;
  readonly safety: boolean;
  readonly priority: Priority | null;
  /** Intake answers by question id. */
  readonly answers: Readonly<Record<string, string>>;
  /** Questions the requester was asked and has not answered. */
  readonly missing: readonly string[];
  /** From the contract at triage; never from a payload. 0 until triaged. */
  readonly base_nte_cents: number;
  readonly nte_cents: number;
  readonly description_text_id: string | null;
  /** The ticket whose repair did not last: what is done again costs the customer nothing by itself. */
  readonly recall_of: string | null;
  /** The ticket that this one, cancelled, was a duplicate of. */
  readonly duplicate_of: string | null;
  readonly reported_at: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface VisitRow extends Versioned<VisitState> {
  readonly ticket_id: string;
  readonly technician_id: string;
  readonly emergency: boolean;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly offered_by: string;
  readonly checked_in_at: string | null;
  /** Claims of the technician's device: recorded, never believed. */
  readonly claimed_time: string | null;
  readonly claimed_lat_e6: number | null;
  readonly claimed_lon_e6: number | null;
  readonly started_at: string | null;
  /** Until when the offer is to be taken, before a person looks; null for one from before there was such an end. */
  readonly answer_by: string | null;
  /** When a person was told that nobody took it. */
  readonly escalated_at: string | null;
}

export interface ChangeLine {
  readonly kind: 'LABOR' | 'PART' | 'TRIP' | 'OTHER';
  readonly quantity: number;
  readonly unit_cents: number;
  readonly incurred: 'yes' | 'no';
  readonly part_number?: string;
}

export interface ApprovalRow extends Versioned<ApprovalState> {
  readonly ticket_id: string;
  readonly account_id: string;
  readonly kind: ApprovalKind;
  readonly requested_by_kind: SubjectKind;
  readonly requested_by_id: string;
  readonly lines: readonly ChangeLine[];
  readonly photos: readonly string[];
  readonly amount_cents: number;
  readonly nte_before_cents: number;
  readonly new_nte_cents: number;
  readonly proof_assurance: Assurance;
  readonly deciders: number;
  /** The contact on file who is asked, as the action names them: nobody else decides it. */
  readonly decider_id: string;
  /** Canonical JSON (RFC 8785) of what is asked, and its SHA-256 in base64url: what you see is what you sign. */
  readonly action: string;
  readonly action_digest: string;
  readonly resume_approved: TicketState;
  readonly resume_denied: TicketState;
  readonly reason_text_id: string | null;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly decided_by: string | null;
  readonly decided_at: string | null;
}

export interface InvoiceLine {
  readonly kind: ChangeLine['kind'];
  readonly quantity: number;
  readonly unit_cents: number;
  readonly total_cents: number;
  readonly part_number?: string;
}

export interface InvoiceRow extends Versioned<InvoiceState> {
  readonly ticket_id: string;
  readonly account_id: string;
  readonly lines: readonly InvoiceLine[];
  readonly total_cents: number;
  readonly nte_cents: number;
  readonly issued_at: string | null;
  readonly paid_at: string | null;
  readonly payment_method: string | null;
}

export interface EvidenceRow extends Versioned<EvidenceState> {
  readonly ticket_id: string;
  readonly visit_id: string | null;
  readonly key: string;
  readonly phase: EvidencePhase;
  readonly content_type: string;
  readonly size_bytes: number;
  /** Of the bytes that were announced and uploaded; they are dropped once the picture is kept. */
  readonly sha256: string;
  /** Object name under content-addressed storage; null until finalized. */
  readonly content_key: string | null;
  /** Of the picture that is kept; null until finalized, and where the uploaded bytes themselves were kept. */
  readonly kept_sha256: string | null;
  readonly kept_size_bytes: number | null;
  readonly created_by_kind: SubjectKind;
  readonly created_by_id: string;
  readonly created_at: string;
  readonly finalized_at: string | null;
}

export interface ConversationRow extends Versioned<ConversationState> {
  readonly contact_id: string;
  readonly channel: Channel;
  readonly ticket_id: string | null;
  readonly opened_at: string;
}

/** What an agent wanted and its level did not allow. */
export interface SuggestionRow extends Versioned<SuggestionState> {
  readonly command: string;
  readonly agent_role: AgentRole;
  readonly subject_kind: SubjectKind;
  readonly subject_id: string | null;
  readonly conversation_id: string;
  /** The turn it was made in. */
  readonly turn_id: string;
  /** Null for what would make a ticket. */
  readonly ticket_id: string | null;
  readonly ticket_version: number | null;
  /** As the agent sent it: references and choices. */
  readonly input: Readonly<Record<string, JsonValue>>;
  readonly safety: boolean;
  /** Of all that is promised: what is accepted is what was suggested. */
  readonly digest: string;
  /** Equal for the same wish about the same version of the same ticket. */
  readonly sameness: string;
  readonly suggested_at: string;
  readonly expires_at: string;
  readonly decided_by: string | null;
  readonly decided_at: string | null;
}

export interface TurnRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly conversation_id: string;
  readonly message_id: string;
  readonly subject_kind: SubjectKind;
  readonly subject_id: string;
  readonly assurance: Assurance;
  readonly agent_role: string;
  readonly ticket_id: string | null;
  readonly opened_at: string;
  readonly expires_at: string;
  readonly ended_at: string | null;
}

/** A message as it is decided: by which version of its template it is rendered is set where it is written down. */
export interface MessageDraft {
  readonly tenant_id: string;
  readonly id: string;
  readonly direction: 'IN' | 'OUT';
  readonly channel: Channel;
  readonly conversation_id: string | null;
  /** Who wrote it, or whom it is for; null for a stranger. */
  readonly contact_id: string | null;
  readonly ticket_id: string | null;
  readonly state: MessageState;
  /** OUT: `M01`…, `phrase:<id>` of an agent or `staff:<id>` of a person; IN: null. */
  readonly template: string | null;
  /** Committed values for the template's slots. */
  readonly slots: Readonly<Record<string, string | number | readonly string[]>>;
  /** What the text asserts; compared with the row again at delivery. */
  readonly claim: MessageClaim;
  /** IN: vault handle of the original. */
  readonly text_id: string | null;
  readonly provider_id: string | null;
  readonly correlation_id: string;
  readonly created_at: string;
}

export interface MessageRow extends MessageDraft {
  /** Of a template: the version of its text that was in force at the commit. Null for a phrase, and for what came in. */
  readonly template_version: number | null;
}

export type MessageClaim =
  | { readonly kind: 'none' }
  /** True while the ticket is still in one of `states`. */
  | { readonly kind: 'ticket_state'; readonly states: readonly TicketState[] }
  | {
      /** True while the offer stands and the ticket is in one of `states`. */
      readonly kind: 'option';
      readonly option_id: string;
      readonly states: readonly TicketState[];
    }
  /** True while the approval is in `state`. */
  | { readonly kind: 'approval_state'; readonly approval_id: string; readonly state: ApprovalState }
  /** True while a person has the message's conversation. */
  | { readonly kind: 'human_in_charge' };
