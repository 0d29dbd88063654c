import type { ErrorCode } from '@deadlatch/kernel';

/** What the server answers; every part may be absent, because pages are written against more than one version. */
export interface Me {
  readonly subject: { readonly kind: string; readonly id: string };
  readonly label: string;
  readonly roles: readonly string[];
  readonly csrf: string;
}

export interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly 'x-source'?: string;
  readonly 'x-kind'?: string;
}

export interface CommandForm {
  readonly name: string;
  readonly summary: string;
  readonly target: string;
  /** Ticket states in which it can be sent at all. */
  readonly from: readonly string[];
  readonly roles: readonly string[];
  readonly input: Schema;
}

export interface AskedQuestion {
  readonly question: string;
  readonly required: boolean;
  /** Not asked once one of these is answered with no. */
  readonly unless_no: readonly string[];
}

export interface IncidentForm {
  readonly type: string;
  readonly version: number;
  readonly ask: readonly AskedQuestion[];
  readonly evidence: readonly { readonly key: string; readonly kind: string }[];
  readonly tests: readonly { readonly key: string; readonly unit: string }[];
}

/** Which version of a type is in force: by it a ticket is triaged to which the type is new. */
export interface IncidentInForce {
  readonly type: string;
  readonly version?: number | null;
}

export interface Catalogue {
  readonly commands: readonly CommandForm[];
  readonly incident_types: readonly IncidentForm[];
}

export interface QueueRow {
  readonly id: string;
  readonly reference: string;
  readonly state: string;
  readonly priority?: string | null;
  readonly site_label?: string | null;
  readonly incident_type?: string | null;
  readonly nte_cents?: number;
  readonly reported_at?: string;
  readonly technician_id?: string | null;
}

export interface Queue {
  readonly tickets?: readonly QueueRow[];
  readonly next?: string | null;
}

export interface Ticket {
  readonly id: string;
  readonly reference: string;
  readonly state: string;
  readonly version: number;
  readonly site_id?: string;
  readonly site_label?: string | null;
  readonly priority?: string | null;
  readonly incident_type?: string | null;
  readonly incident_version?: number | null;
  readonly safety?: boolean;
  readonly nte_cents?: number;
  readonly resume_state?: string | null;
  readonly hold_reason?: string | null;
  readonly hold_owner?: string | null;
  readonly hold_until?: string | null;
  readonly scope_capped?: boolean;
  readonly outcome?: string | null;
  readonly answers?: Readonly<Record<string, string>>;
  readonly missing?: readonly string[];
  readonly reported_at?: string;
  readonly updated_at?: string;
  readonly conversation_id?: string | null;
}

export interface Allowed {
  readonly command: string;
  readonly allowed: boolean;
  readonly code?: ErrorCode;
}

export interface Visit {
  readonly state?: string;
  readonly technician_id?: string;
  readonly emergency?: boolean;
  readonly starts_at?: string;
  readonly ends_at?: string;
  readonly checked_in_at?: string | null;
  readonly started_at?: string | null;
}

export interface TimelineEvent {
  readonly event_id?: string;
  readonly at?: string;
  readonly command?: string;
  readonly actor?: {
    readonly type?: string;
    readonly id?: string | null;
    readonly role?: string | null;
    readonly agent?: string | { readonly role?: string } | null;
    readonly label?: string | null;
  };
  readonly decision?: string;
  readonly code?: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly details?: Readonly<Record<string, unknown>> | null;
  readonly policy_ids?: readonly string[];
  readonly correlation_id?: string;
}

export interface Evidence {
  readonly id: string;
  readonly key?: string;
  readonly state?: string;
  readonly size_bytes?: number;
  readonly created_at?: string;
}

export interface Approval {
  readonly id: string;
  readonly state?: string;
  readonly kind?: string;
  readonly amount_cents?: number;
  readonly new_nte_cents?: number;
  readonly proof_assurance?: string;
  readonly deciders?: number;
  readonly requested_by_kind?: string;
  readonly requested_at?: string;
  readonly expires_at?: string;
  readonly decided_at?: string | null;
  readonly lines?: readonly {
    readonly kind?: string;
    readonly quantity?: number;
    readonly unit_cents?: number;
    readonly incurred?: string;
  }[];
}

export interface ConversationEntry {
  readonly id: string;
  readonly direction?: string;
  readonly mask_state?: string;
  readonly text?: string | null;
  readonly template?: string | null;
  readonly at?: string;
}

/** What the ticket's incident type asks to be shown. */
export interface WantedEvidence {
  readonly key: string;
  readonly kind: string;
  readonly minimum: number;
  readonly required: boolean;
  /** Not demanded now; it may be, once tests and outcome are on record. */
  readonly possible: boolean;
}

/** A time that is offered or agreed. */
export interface TimeOption {
  readonly id: string;
  readonly number: number;
  readonly window_from: string;
  readonly window_to: string;
  readonly held_until: string;
  /** For staff only. */
  readonly technician_id?: string;
}

export interface Recommended {
  readonly technician_id: string;
  readonly starts_at: string;
  readonly score: number;
  readonly factors: readonly {
    readonly factor: string;
    readonly value: number;
    readonly contribution: number;
  }[];
}

export interface Recommendations {
  readonly recommended?: readonly Recommended[];
  readonly others?: readonly { readonly technician_id: string; readonly reasons: readonly string[] }[];
}

/** A part of a ticket that this person's role may not read is `null`. */
export interface TicketPage {
  readonly site_label?: string | null;
  readonly ticket: Ticket;
  readonly visit?: Visit | null;
  readonly invoice?: { readonly state?: string; readonly total_cents?: number } | null;
  readonly completion?: { readonly outcome?: string; readonly submitted_at?: string } | null;
  readonly linked?: readonly LinkedTicket[];
  readonly waivers?: readonly { readonly key: string; readonly granted: boolean }[];
  readonly allowed?: readonly Allowed[];
  readonly timeline?: { readonly events?: readonly TimelineEvent[] } | null;
  readonly evidence?: { readonly evidence?: readonly Evidence[] } | null;
  readonly wanted_evidence?: readonly WantedEvidence[] | null;
  readonly approvals?: { readonly approvals?: readonly Approval[] } | null;
  readonly schedule?: {
    readonly options?: readonly TimeOption[];
    readonly agreed?: TimeOption | null;
  } | null;
  readonly conversation?: {
    readonly conversation?: {
      readonly id?: string;
      readonly state?: string;
      readonly channel?: string;
    } | null;
    readonly entries?: readonly ConversationEntry[];
  } | null;
}

export interface CommandAnswer {
  readonly ticket?: { readonly id?: string; readonly state?: string } | null;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly replayed?: boolean;
}

export interface Technician {
  readonly id: string;
  readonly label?: string;
  readonly skills?: readonly string[];
}

export interface Site {
  readonly id: string;
  readonly label?: string;
}

export interface Pause {
  readonly scope?: string;
  readonly scope_id?: string | null;
  readonly paused_at?: string;
}

/** Something that waits for a person. */
export interface Attention {
  readonly kind: string;
  readonly ticket_id: string | null;
  readonly reference: string | null;
  readonly conversation_id: string | null;
  readonly since: string;
  readonly suggestion?: Suggestion | null;
}

/** What an agent wanted and may not do by itself, as it stands in its row. */
export interface Suggestion {
  readonly id: string;
  readonly command: string;
  readonly agent_role: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly safety: boolean;
  readonly digest: string;
  readonly expires_at: string;
}

/** A ticket that belongs to the one that is shown. */
export interface LinkedTicket {
  readonly id: string;
  readonly reference: string;
  readonly state: string;
  readonly relation: string;
}

export interface Report {
  readonly id: string;
  readonly channel?: string;
  readonly created_at?: string;
}

/** A problem document (RFC 9457) as an error; `code` is what `words/reasons.ts` explains. */
export class Problem extends Error {
  readonly code: string;
  readonly requestId: string | null;
  readonly allowedFrom: readonly string[];
  readonly missing: readonly string[];
  /** Why a photo is none, where that is what was refused. */
  readonly reason: string | null;

  constructor(body: Readonly<Record<string, unknown>>) {
    const code = typeof body.code === 'string' ? body.code : 'unavailable';
    super(code);
    this.name = 'Problem';
    this.code = code;
    this.requestId = typeof body.request_id === 'string' ? body.request_id : null;
    this.allowedFrom = words(body.allowed_from);
    this.missing = words(body.missing);
    this.reason = code === 'evidence_unusable' && typeof body.reason === 'string' ? body.reason : null;
  }
}

function words(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

async function answerOf<T>(response: Response): Promise<T> {
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  throw new Problem(typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {});
}

/** Reads from our own server. @throws Problem */
export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...(signal ? { signal } : {}) });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Problem({});
  }
  return answerOf<T>(response);
}

/** Sends JSON with the CSRF token. @throws Problem; code `unavailable` when nobody answered */
export async function send<T>(path: string, csrf: string, body: unknown): Promise<T> {
  return write<T>(path, 'POST', csrf, 'application/json', JSON.stringify(body));
}

/** How many bytes of an upload have been stored. @throws Problem */
export async function uploadStands(address: string): Promise<number> {
  return storedOf(await reach(uploadPath(address), { method: 'HEAD' }));
}

/** Sends the next bytes of an upload; answers how many have been stored then. @throws Problem */
export async function sendPiece(address: string, csrf: string, offset: number, bytes: Blob): Promise<number> {
  const headers = {
    'content-type': 'application/partial-upload',
    'upload-offset': String(offset),
    'x-csrf-token': csrf,
  };
  return storedOf(await reach(uploadPath(address), { method: 'PATCH', headers, body: bytes }));
}

function uploadPath(address: string): string {
  const url = new URL(address, window.location.origin);
  return `/api${url.pathname}${url.search}`;
}

async function storedOf(response: Response): Promise<number> {
  const offset = response.headers.get('upload-offset');
  if (response.ok && offset !== null && /^[0-9]+$/.test(offset)) return Number(offset);
  // An address that is over is answered like one that never was: with a fresh one it can go on.
  if (response.status === 404) throw new Problem({});
  // An answer to HEAD has no body.
  if (response.status === 401) throw new Problem({ code: 'unauthenticated' });
  return answerOf<never>(response);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new Problem({});
  }
}

async function write<T>(
  path: string,
  method: string,
  csrf: string,
  contentType: string,
  body: BodyInit,
): Promise<T> {
  const headers = { 'content-type': contentType, 'x-csrf-token': csrf };
  return answerOf<T>(await reach(path, { method, headers, body }));
}
