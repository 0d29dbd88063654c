import type { PublicationKind } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { need } from './need.ts';
import type { PublicationFacts, PublicationRow } from './publication-facts.ts';
import type { RuleContext } from './rule.ts';

/** Of two publications the one that holds while both have begun: the later start, and of one start the later decision. */
function isOver(one: PublicationRow, other: PublicationRow): boolean {
  const [a, b] = [Date.parse(one.effective_from), Date.parse(other.effective_from)];
  return a > b || (a === b && one.number > other.number);
}

/**
 * Which publication is in force at a moment.
 * @param now milliseconds since the epoch
 * @returns null when none has begun: then nothing may be decided by any version
 */
export function inForceAt(rows: readonly PublicationRow[], now: number): PublicationRow | null {
  return rows
    .filter((row) => Date.parse(row.effective_from) <= now)
    .reduce<PublicationRow | null>(
      (found, row) => (found === null || isOver(row, found) ? row : found),
      null,
    );
}

/** What comes into force later unless something is published until then, soonest first. @param now as above */
export function scheduledAfter(rows: readonly PublicationRow[], now: number): readonly PublicationRow[] {
  return rows
    .filter((row) => Date.parse(row.effective_from) > now)
    .filter((row) => inForceAt(rows, Date.parse(row.effective_from)) === row)
    .sort((a, b) => Date.parse(a.effective_from) - Date.parse(b.effective_from));
}

/**
 * The facts about exactly this name.
 * @throws DispatchError `unavailable` when they are absent, or another name's
 */
export function publicationsOf(context: RuleContext, kind: PublicationKind, name: string): PublicationFacts {
  const found = need(context.facts.publications, 'publications');
  const isAsked = found.kind === kind && found.name === name;
  return isAsked ? found : refuse('unavailable', { detail: 'publications of another name' });
}

/**
 * The version of a name that is in force now, by database time.
 * @throws DispatchError `unavailable` when none is: never another version instead
 */
export function versionInForce(context: RuleContext, kind: PublicationKind, name: string): number {
  const { rows } = publicationsOf(context, kind, name);
  return need(inForceAt(rows, context.now), `a published ${kind}`).version;
}
