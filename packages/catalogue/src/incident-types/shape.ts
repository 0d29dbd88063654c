import type { Priority } from '../states.ts';

/** `unknown` is an answer: on a safety question it counts as yes. */
export const ANSWERS = ['yes', 'no', 'unknown', 'stated'] as const;
export type Answer = (typeof ANSWERS)[number];

/** Every question any incident type may ask at intake. `stated` = answered in words, by message reference. */
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
] as const;
export type QuestionId = (typeof QUESTION_IDS)[number];

export const EVIDENCE_PHASES = ['intake', 'before', 'change', 'after', 'closeout'] as const;
export type EvidencePhase = (typeof EVIDENCE_PHASES)[number];

export interface EvidenceRule {
  /** e.g. `photo.before.opening`; unique within the type */
  readonly key: string;
  readonly kind: 'photo' | 'test' | 'note' | 'signature';
  readonly phase: EvidencePhase;
  readonly minimum: number;
  readonly shownToCustomer: boolean;
}

export interface TestRule {
  readonly key: string;
  /** The unit of `value`; `none` for pass or fail only. */
  readonly unit: 'count' | 'mm' | 's' | 'none';
  /** Inclusive bounds that `value` must lie in to pass. */
  readonly pass: { readonly min: number; readonly max: number } | null;
}

export interface IncidentTypeDefinition {
  readonly type: string;
  readonly version: number;
  readonly defaultPriority: Priority;
  /** Pages a dispatcher at once when triaged. */
  readonly safety: boolean;
  readonly ask: readonly { readonly question: QuestionId; readonly required: boolean }[];
  /** Priority by rule: the highest rule whose question is answered yes or unknown wins, else the default. */
  readonly raises: readonly { readonly when: QuestionId; readonly to: Priority }[];
  /** Lowers the default when every listed question is answered `no` (never `unknown`). */
  readonly mitigated: { readonly whenAllNo: readonly QuestionId[]; readonly to: Priority } | null;
  readonly evidence: readonly EvidenceRule[];
  readonly tests: readonly TestRule[];
}

const photo = (key: string, phase: EvidencePhase, minimum = 1): EvidenceRule => ({
  key: `photo.${phase}.${key}`,
  kind: 'photo',
  phase,
  minimum,
  shownToCustomer: true,
});

export const before = (key: string) => photo(key, 'before');
export const after = (key: string) => photo(key, 'after');
export const change = (key: string): EvidenceRule => ({ ...photo(key, 'change'), minimum: 0 });
