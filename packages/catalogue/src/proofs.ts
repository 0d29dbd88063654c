/** What can be asked of a decider. The proof each kind needs is computed by the decision, from these bounds. */
export const APPROVAL_KINDS = [
  'NTE_INCREASE',
  'PROPOSAL',
  'RETURN_TRIP',
  'AFTER_HOURS_RATE',
  'SUBSTITUTE_PART',
] as const;
export type ApprovalKind = (typeof APPROVAL_KINDS)[number];

/** An NTE increase up to this much, and at most half of the NTE before the first increase, is settled at L2. */
export const SMALL_INCREASE_CENTS = 25_000;
export const SMALL_INCREASE_RATIO = 0.5;
export const TWO_DECIDERS_ABOVE_CENTS = 500_000;

/** A second request within this time needs one level more. */
export const REPEAT_WINDOW_MS = 60 * 60 * 1000;
export const COOLING_OFF_MS = 24 * 60 * 60 * 1000;
