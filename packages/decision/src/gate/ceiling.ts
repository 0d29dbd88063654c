import {
  assuranceRank,
  CEILINGS,
  type Ceiling,
  type CommandEntry,
  isHeldByPeople,
} from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Caller } from '../caller.ts';

/**
 * The caller's service may send this command at all, for this kind of subject, with this kind of proof.
 * A claim above the ceiling is refused outright and not cut down to it: nobody honest makes one.
 * @throws DispatchError `above_ceiling`
 * @invariant compiled in; no row and no policy widens it
 * @source T3.11, T4.2, T4.5
 */
export function requireCeiling(entry: CommandEntry, caller: Caller): void {
  const ceiling = Object.hasOwn(CEILINGS, caller.service) ? CEILINGS[caller.service] : undefined;
  const isByLink = caller.scope === 'link';
  if (ceiling === undefined || !(isByLink ? isForLinks : isUnderCeiling)(entry, ceiling)) above('command');
  if (!ceiling.subjects.includes(caller.subject.kind)) above('subject');
  const rank = assuranceRank(caller.assurance);
  if (rank < 0 || rank > assuranceRank(ceiling.upTo)) above('assurance');
  if ((caller.subject.kind === 'link') !== isByLink) above('subject');
  if (!isByLink && caller.scope !== scopeOf(ceiling)) above('scope');
  if ((caller.agent !== null) !== (caller.scope === 'turn')) above('agent');
}

function isForLinks(entry: CommandEntry, ceiling: Ceiling): boolean {
  return ceiling.byLink?.includes(entry.name) === true;
}

function isUnderCeiling(entry: CommandEntry, ceiling: Ceiling): boolean {
  if (ceiling.except.includes(entry.name)) return false;
  if (ceiling.commands === 'agent-pairs') return entry.agents.length > 0;
  if (ceiling.commands === 'person-roles') return isHeldByPeople(entry);
  return ceiling.commands.includes(entry.name);
}

/** The only way each service's calls are authorised: a turn's token never travels through the console. */
function scopeOf(ceiling: Ceiling): Caller['scope'] {
  if (ceiling.withoutToken) return 'service';
  if (ceiling.commands === 'agent-pairs') return 'turn';
  return ceiling.commands === 'person-roles' ? 'person' : 'step-up';
}

function above(detail: string): never {
  return refuse('above_ceiling', { detail });
}
