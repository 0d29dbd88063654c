import { PRIORITIES, TICKET_STATES } from '@deadlatch/catalogue';
import { isUuid, refuse } from '@deadlatch/kernel';
import type { QueueFilter } from './queue.sql.ts';
import { readPlace } from './queue-place.ts';

const NAMES: ReadonlySet<string> = new Set(['state', 'priority', 'site', 'mine', 'after']);

/**
 * What of the queue is asked for.
 * @param query as the address has it: each parameter at most once; anything else is refused, not ignored
 * @throws DispatchError `schema_mismatch`
 */
export function readQueueFilter(query: Readonly<Record<string, unknown>>): QueueFilter {
  for (const [name, value] of Object.entries(query)) {
    if (!NAMES.has(name) || typeof value !== 'string') refuse('schema_mismatch', { detail: 'query' });
  }
  const { state, priority, site, mine, after } = query as Readonly<Record<string, string | undefined>>;
  if ((site !== undefined && !isUuid(site)) || (mine !== undefined && mine !== 'true')) {
    refuse('schema_mismatch', { detail: 'query' });
  }
  return {
    state: oneOf(TICKET_STATES, state),
    priority: oneOf([...PRIORITIES, 'NONE'] as const, priority),
    siteId: site ?? null,
    mine: mine !== undefined,
    after: after === undefined ? null : readPlace(after),
  };
}

function oneOf<Word extends string>(words: readonly Word[], text: string | undefined): Word | null {
  if (text === undefined) return null;
  return words.find((word) => word === text) ?? refuse('schema_mismatch', { detail: 'query' });
}
