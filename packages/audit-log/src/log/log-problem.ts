/** What is wrong with a log. `forged_hash`: the hash stated for an event is not its own, although the event is. */
export type LogProblemKind =
  | 'checkpoint'
  | 'malformed'
  | 'altered'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'back_dated'
  | 'dated_ahead'
  | 'truncated'
  | 'uncovered'
  | 'rebuilt'
  | 'split_view'
  | 'forged_hash'
  | 'tile'
  | 'omitted';

/** One finding. What is known more closely than by a range has `index` and `through` the same. */
export interface LogProblem {
  readonly kind: LogProblemKind;
  /** log index where it is, or where it begins; null when it has none */
  readonly index: number | null;
  /** last index of the range in which it lies */
  readonly through: number | null;
  readonly reason: string;
}

/** A finding at one index, or in the range from `index` to `through`. */
export function problemAt(
  kind: LogProblemKind,
  index: number | null,
  reason: string,
  through: number | null = index,
): LogProblem {
  return { kind, index, through, reason };
}
