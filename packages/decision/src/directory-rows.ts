import type { ActState, AssetKind, Assurance, DirectoryState, StaffRole } from '@deadlatch/catalogue';
import type { WorkingHours } from '@deadlatch/scheduling';

/**
 * Who and where, as the database holds them: every version is tied to its audit event. No names, numbers or addresses:
 * those live in the vault under the same ids.
 */
interface OnFile {
  readonly tenant_id: string;
  readonly id: string;
  /** Starts at 1; every change adds exactly 1. */
  readonly version: number;
  readonly state: DirectoryState;
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

export interface AccountRow extends OnFile {
  readonly slug: string;
  readonly contract: ContractFacts;
}

export interface SiteRow extends OnFile {
  readonly account_id: string;
  readonly slug: string;
  readonly time_zone: string;
  readonly territory: string;
}

export interface AssetRow extends OnFile {
  readonly account_id: string;
  readonly site_id: string;
  readonly kind: AssetKind;
  readonly slug: string;
  readonly model: string | null;
  readonly serial: string | null;
}

export interface ContactRow extends OnFile {
  readonly person_id: string;
  /** Within 24 h of it the contact cannot approve. */
  readonly changed_at: string;
}

export interface MembershipRow extends OnFile {
  readonly contact_id: string;
  readonly account_id: string;
  /** null: every site of the account. */
  readonly site_id: string | null;
  readonly may_request: boolean;
  readonly may_approve: boolean;
  readonly approval_limit_cents: number;
  readonly changed_at: string;
}

export interface TechnicianRow extends OnFile {
  readonly person_id: string;
  readonly slug: string;
  readonly skills: readonly string[];
  readonly territories: readonly string[];
}

/** Part of a technician, whose version it names. */
export interface TechnicianScheduleRow {
  readonly id: string;
  readonly version: number;
  readonly shifts: WorkingHours;
  readonly certifications: readonly {
    readonly name: string;
    readonly valid_from: string;
    readonly valid_until: string;
  }[];
  readonly absences: readonly { readonly starts_at: string; readonly ends_at: string }[];
  readonly home_lat_e6: number | null;
  readonly home_lon_e6: number | null;
}

/** Part of a site, whose version it names. */
export interface SiteScheduleRow {
  readonly id: string;
  readonly version: number;
  readonly hours: WorkingHours;
  readonly lat_e6: number | null;
  readonly lon_e6: number | null;
}

/** A member of staff with the roles they hold. */
export interface StaffRow extends OnFile {
  readonly person_id: string;
  readonly roles: readonly StaffRole[];
}

/** Something asked for, word for word, until whoever must has confirmed it. */
export interface ActRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly version: number;
  readonly state: ActState;
  readonly command: string;
  readonly target_id: string | null;
  readonly input: Readonly<Record<string, unknown>>;
  /** Canonical JSON (RFC 8785) of what is asked, and its SHA-256 in base64url: what you see is what you sign. */
  readonly action: string;
  readonly action_digest: string;
  /** The member of staff. */
  readonly asked_by: string;
  readonly proof_assurance: Assurance;
  /** How many persons must confirm. */
  readonly deciders: number;
  readonly asked_at: string;
  readonly expires_at: string;
  readonly decided_at: string | null;
}

/** What the database knows of whom and what a command of the directory is about; absent means null. */
export interface DirectoryFacts {
  readonly account: AccountRow | null;
  readonly site: SiteRow | null;
  readonly asset: AssetRow | null;
  readonly contact: ContactRow | null;
  /** Every membership of the contact. */
  readonly memberships: readonly MembershipRow[];
  readonly technician: TechnicianRow | null;
  readonly staff: StaffRow | null;
  /** Level of the account; null without an account. */
  readonly autonomy_level: number | null;
  /** Whether anybody of the account could ever approve; true where nobody asked. */
  readonly has_had_approver: boolean;
  /** Whether another row of the kind the command makes or names has this code already. */
  readonly is_slug_taken: boolean;
  /** Active staff who hold a role that may confirm something. */
  readonly confirmers: readonly Confirmer[];
  readonly act: ActRow | null;
  /** Persons who have confirmed `act`. */
  readonly confirmed_by: readonly string[];
}

/** What the rows of a batch name: as the database has it. */
export interface BatchFacts {
  /** Every site that a row names and that this tenant has, of whichever account. */
  readonly sites: readonly Pick<SiteRow, 'id' | 'account_id' | 'slug' | 'state'>[];
  /** Codes of rows that a contact of the account has already. */
  readonly taken: readonly string[];
}

/** What an account calls a contact that came on file in a batch. Written once, with the contact. */
export interface ContactCodeRow {
  readonly contact_id: string;
  readonly account_id: string;
  readonly slug: string;
  /** The act that it was asked with; null while only asking, which writes nothing. */
  readonly act_id: string | null;
}

export interface Confirmer {
  readonly staff_id: string;
  readonly person_id: string;
  readonly roles: readonly string[];
}
