import type { Outcome, Priority } from '../states.ts';

/** `unknown` is an answer: on a safety question it counts as yes. */
export const ANSWERS = ['yes', 'no', 'unknown', 'stated'] as const;
export type Answer = (typeof ANSWERS)[number];

/**
 * Every question any incident type may ask at intake. `stated` = answered in words, by message reference.
 * A safety question is put so that yes is the danger.
 */
export const QUESTION_IDS = [
  'cannot_lock_anything',
  'open_to_public',
  'anyone_hurt',
  'which_door',
  'since_when',
  'closes_by_itself',
  'exit_blocked',
  'fire_or_exit_door',
  'hit_someone',
  'only_entrance_stuck',
  'open_to_street',
  'people_near',
  'stuck_open_or_closed',
  'cannot_switch_off',
  'opening_size',
  'not_safety_glass',
  'required_exit',
  'occupied_now',
  'deficiency_report',
  'label_present',
  'jammed_open',
  'spring_or_cable_broken',
  'vehicle_trapped',
  'reader_light',
  'who_can_enter',
  'quote_number',
  'who_is_affected',
  'no_other_route',
] as const;
export type QuestionId = (typeof QUESTION_IDS)[number];

/** More than any type asks; more would not fit into one text message. */
export const MAX_QUESTIONS_AT_ONCE = 12;

export const EVIDENCE_PHASES = ['intake', 'before', 'change', 'after', 'closeout'] as const;
export type EvidencePhase = (typeof EVIDENCE_PHASES)[number];

/**
 * When something is demanded, over what is known of the ticket and nothing else.
 * - `notNo`: the question is not answered with a plain no; silence and doubt count as yes
 * - `failed`: the test is on record, and its latest record did not pass
 * - `outcome`: the work is handed in with one of these outcomes; before that it is false
 */
export type Condition =
  | 'always'
  | 'never'
  | { readonly notNo: QuestionId }
  | { readonly failed: string }
  | { readonly outcome: readonly Outcome[] }
  | { readonly anyOf: readonly [Condition, Condition, ...Condition[]] };

export interface QuestionRule {
  readonly question: QuestionId;
  /** Intake is not complete without an answer; `unknown` is one. Holds only while the question is asked at all. */
  readonly required: boolean;
  /** Yes is a danger: whatever is not a plain no counts as yes. Priority rules read only these. */
  readonly safety: boolean;
  /** Asked unless one of these, all asked before it, is answered with a plain no. Empty: always. */
  readonly unlessNo: readonly QuestionId[];
}

export interface PriorityRule {
  /** Raises unless one of these is answered with a plain no. */
  readonly unlessNo: readonly QuestionId[];
  readonly to: Priority;
}

export const EVIDENCE_KINDS = ['photo', 'note', 'record', 'signature'] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

export interface EvidenceRule {
  /** `<kind>.<phase>.<name>`, e.g. `photo.before.opening`; unique within the type */
  readonly key: string;
  readonly kind: EvidenceKind;
  readonly phase: EvidencePhase;
  /** How many there must be once it is required; at least 1. */
  readonly minimum: number;
  readonly requiredWhen: Condition;
  /** Over answers alone, so that every form can tell. Never false while `requiredWhen` is true. */
  readonly visibleWhen: Condition;
  /** Who may decide to go without; null: nobody. */
  readonly waivableBy: 'supervisor' | null;
  readonly shownToCustomer: boolean;
}

export interface TestRule {
  readonly key: string;
  /** The unit of `value`; `none` for pass or fail only. */
  readonly unit: 'count' | 'mm' | 's' | 'N' | 'none';
  /** Inclusive bounds that `value` must lie in to pass. */
  readonly pass: { readonly min: number; readonly max: number } | null;
  /** A test is always on record before work is handed in. When this is false, a failed one is enough. */
  readonly mustPassWhen: Condition;
}

/** What a visit for the type takes of whoever is sent. */
export interface WorkRule {
  /** How long it is planned for. */
  readonly minutes: number;
  readonly skills: readonly string[];
  /** Held on the day of the visit. */
  readonly certifications: readonly string[];
}

/** Of a version that says nothing of it: two hours of anybody who serves the place. */
export const DEFAULT_WORK: WorkRule = { minutes: 120, skills: [], certifications: [] };

/** One released version of a type. It never changes again: what is to differ is a version of its own. */
export interface IncidentTypeDefinition {
  readonly type: string;
  readonly version: number;
  readonly defaultPriority: Priority;
  /** Pages a dispatcher at once when triaged. */
  readonly safety: boolean;
  readonly ask: readonly QuestionRule[];
  /** The highest rule that fires wins, else the default. */
  readonly raises: readonly PriorityRule[];
  /** Lowers the default when every listed question is answered `no` (never `unknown`). */
  readonly mitigated: { readonly whenAllNo: readonly QuestionId[]; readonly to: Priority } | null;
  readonly evidence: readonly EvidenceRule[];
  readonly tests: readonly TestRule[];
  /** Absent: `DEFAULT_WORK`. */
  readonly work?: WorkRule;
}
