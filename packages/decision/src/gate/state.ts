import { ALL_EDGES, type CommandEntry, type ObjectKind, ticketSources } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Facts } from '../facts.ts';

/** Sources by object and command, from the one edge table that the database is generated from too. */
const SOURCES: ReadonlyMap<string, readonly string[]> = (() => {
  const sources = new Map<string, string[]>();
  for (const edge of ALL_EDGES) {
    if (edge.from === '-') continue;
    const key = `${edge.object} ${edge.command}`;
    const known = sources.get(key) ?? [];
    if (!known.includes(edge.from)) known.push(edge.from);
    sources.set(key, known);
  }
  return sources;
})();

/** States of `object` from which `command` may start; empty when it cannot change such an object. */
export function sourcesOf(object: ObjectKind, command: string): readonly string[] {
  return object === 'ticket' ? ticketSources(command) : (SOURCES.get(`${object} ${command}`) ?? []);
}

/**
 * `row` is there and stands where the command may start.
 * @throws DispatchError `invalid_state` with `from_state` and `allowed_from`
 * @source A.3d, C.3
 */
export function requireState<Row extends { readonly state: string }>(
  object: ObjectKind,
  command: string,
  row: Row | null,
): Row {
  return requireStateIn(row, sourcesOf(object, command));
}

/** As `requireState`, for a narrower list than the edges give. */
export function requireStateIn<Row extends { readonly state: string }>(
  row: Row | null,
  allowed: readonly string[],
): Row {
  if (row === null || !allowed.includes(row.state)) {
    return refuse('invalid_state', { extra: { from_state: row?.state ?? null, allowed_from: allowed } });
  }
  return row;
}

/** The target's own state, then the state of the ticket it belongs to. */
export function requireTargetState(entry: CommandEntry, facts: Facts): void {
  if (entry.target === 'act') requireState('act', entry.name, facts.directory?.act ?? null);
  if (entry.target === 'approval') requireState('approval', entry.name, facts.approval);
  if (entry.target === 'conversation') requireState('conversation', entry.name, facts.conversation);
  if (entry.target === 'suggestion') requireState('suggestion', entry.name, facts.suggestion);
  if (entry.target === 'approval' || entry.target === 'ticket') {
    requireState('ticket', entry.name, facts.ticket);
  }
}
