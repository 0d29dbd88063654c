import { findCommand, findRead, SUBJECT_KINDS } from '@deadlatch/catalogue';
import { isInstant, isUuid, refuse } from '@deadlatch/kernel';
import type { AuditFilter } from './audit-search.sql.ts';

/** What each parameter of a search may be. */
const PARAMETERS: Readonly<Record<string, (text: string) => boolean>> = {
  ticket: isUuid,
  correlation: isUuid,
  actor: isActor,
  // What other services and the operator write has names of its own.
  command: (text) =>
    findCommand(text) !== undefined ||
    findRead(text) !== undefined ||
    /^[a-z_]{1,40}\.[a-z_]{1,40}$/.test(text),
  decision: (text) => text === 'accepted' || text === 'refused',
  since: isInstant,
  until: isInstant,
  after: isUuid,
};

/** `staff:<id>`, or `service:<name>`. */
function isActor(text: string): boolean {
  const [kind = '', id = '', ...more] = text.split(':');
  if (more.length > 0) return false;
  if (kind === 'service') return /^[a-z-]{1,40}$/.test(id);
  return SUBJECT_KINDS.some((known) => known === kind) && isUuid(id);
}

/**
 * What of the trail is asked for, and the same as it stands in the event of the search: ids and closed words.
 * @param query as the address has it: each parameter at most once; anything else is refused, not ignored
 * @throws DispatchError `schema_mismatch`
 */
export function readAuditFilter(query: Readonly<Record<string, unknown>>): {
  readonly filter: AuditFilter;
  readonly asked: Readonly<Record<string, string>>;
} {
  const given = new Map<string, string>();
  for (const [name, value] of Object.entries(query)) {
    const isKnown = Object.hasOwn(PARAMETERS, name) && typeof value === 'string';
    if (!isKnown || PARAMETERS[name]?.(value) !== true) return refuse('schema_mismatch', { detail: 'query' });
    given.set(name, value);
  }
  const of = (name: string) => given.get(name) ?? null;
  const decision = of('decision');
  return {
    filter: {
      ticketId: of('ticket'),
      correlationId: of('correlation'),
      actor: of('actor'),
      command: of('command'),
      decision: decision === 'accepted' || decision === 'refused' ? decision : null,
      since: of('since'),
      until: of('until'),
      after: of('after'),
    },
    // Further pages of one search are no further search.
    asked: Object.fromEntries(
      [...given].flatMap(([name, value]) => (name === 'after' ? [] : [[`by_${name}`, value]])),
    ),
  };
}
