import type { Clock, ErrorCode } from '@deadlatch/kernel';

/** Refusals of one kind: the same signer, the same person or nobody, the same code. */
export interface RefusalKind {
  /** The service that signed, or `browser`. */
  readonly service: string;
  /** `<kind>:<uuid>`, or `nobody` where the refusal is that nobody is known. */
  readonly subject: string;
  readonly code: ErrorCode;
}

/** Refusals that got no event of their own. */
export interface CountedRefusals<Last> extends RefusalKind {
  readonly count: number;
  /** Milliseconds since the epoch; half-open. */
  readonly from: number;
  readonly until: number;
  /** The last one of them, as it was handed in: what the one event about all of them is made from. */
  readonly last: Last;
}

/**
 * How many refusals may be written one by one, so that a flood cannot fill the trail; what is beyond is counted.
 * @source design 03: refusals have a budget per caller
 */
export interface RefusalBudget<Last> {
  /** @returns true when this refusal is written by itself, false when it is counted */
  admit(kind: RefusalKind, refusal: Last): boolean;
  /**
   * Hands every count whose window is over to `write`, once; before an end, all counts.
   * @throws whatever `write` throws; what it did not write is kept for the next time
   */
  drain(write: (counted: CountedRefusals<Last>) => Promise<void>, which?: 'over' | 'all'): Promise<void>;
}

/** The command of the one event that stands for counted refusals. */
export const REFUSALS_COUNTED = 'refusals.counted' as const;

/** What that event says beyond the code: ids, closed words and counts only. */
export function countedDetails(counted: CountedRefusals<unknown>) {
  return {
    count: counted.count,
    service: counted.service,
    subject: counted.subject,
    window: `${new Date(counted.from).toISOString()}/${new Date(counted.until).toISOString()}`,
  };
}

/** Once a second is more than a person is refused, and far more than a service of ours should be. */
const PER_MINUTE = 60;
const WINDOW_MS = 60_000;
/** Kinds that are told apart; the rest share one per service and code. */
const CAPACITY = 10_000;

interface Window<Last> {
  readonly kind: RefusalKind;
  readonly from: number;
  admitted: number;
  count: number;
  last: Last;
}

/**
 * @param perMinute refusals of one kind that are written one by one in a window of a minute
 * @invariant no refusal is lost while the process lives: it is admitted, or it is in exactly one count
 * @invariant memory is bounded, whoever knocks
 */
export function createRefusalBudget<Last>(options: {
  readonly now: Clock;
  readonly perMinute?: number;
  readonly capacity?: number;
}): RefusalBudget<Last> {
  const { now, perMinute = PER_MINUTE, capacity = CAPACITY } = options;
  const windows = new Map<string, Window<Last>>();
  const over = new Map<string, CountedRefusals<Last>>();

  const keep = (counted: CountedRefusals<Last>): void => {
    const name = nameOf(counted);
    const before = over.get(name);
    over.set(name, before === undefined ? counted : joined(before, counted));
  };
  const close = (name: string, window: Window<Last>): void => {
    windows.delete(name);
    if (window.count === 0) return;
    const { kind, from, count, last } = window;
    keep({ ...kind, count, from, until: from + WINDOW_MS, last });
  };
  const windowOf = (kind: RefusalKind, refusal: Last): Window<Last> => {
    const name = nameOf(kind);
    const known = windows.get(name);
    if (known !== undefined && now() < known.from + WINDOW_MS) return known;
    if (known !== undefined) close(name, known);
    const isFull = windows.size + over.size >= capacity;
    if (isFull && kind.subject !== OTHERS) return windowOf({ ...kind, subject: OTHERS }, refusal);
    const opened = { kind, from: now(), admitted: 0, count: 0, last: refusal };
    windows.set(name, opened);
    return opened;
  };
  return {
    admit: (kind, refusal) => {
      const window = windowOf(kind, refusal);
      if (window.admitted < perMinute) {
        window.admitted += 1;
        return true;
      }
      window.count += 1;
      window.last = refusal;
      return false;
    },
    drain: async (write, which = 'over') => {
      for (const [name, window] of [...windows]) {
        if (which === 'all' || now() >= window.from + WINDOW_MS) close(name, window);
      }
      for (const [name, counted] of [...over]) {
        // Taken first: another drain at the same time must not write it again.
        if (!over.delete(name)) continue;
        try {
          await write(counted);
        } catch (error) {
          keep(counted);
          throw error;
        }
      }
    },
  };
}

const OTHERS = 'others';

function nameOf({ service, subject, code }: RefusalKind): string {
  return `${service} ${subject} ${code}`;
}

function joined<Last>(one: CountedRefusals<Last>, other: CountedRefusals<Last>): CountedRefusals<Last> {
  const later = one.until >= other.until ? one : other;
  return {
    ...later,
    count: one.count + other.count,
    from: Math.min(one.from, other.from),
  };
}
