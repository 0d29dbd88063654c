import { ALL_EDGES, type Edge } from '@deadlatch/catalogue';
import type { Pool } from './pool.ts';
import { StartError } from './start-error.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const keyOf = (e: Pick<Edge, 'object' | 'command' | 'from' | 'to'>): string =>
  [e.object, e.command, e.from, e.to].join(' ');

/**
 * The SQL that makes `dispatch.transitions` equal the catalogue's edge table: the content of
 * `sql/functions/90-transitions.sql`, which is generated, committed and compared in CI.
 * An edge that left the catalogue is retired, not deleted: history still points at it.
 */
export function transitionsSql(edges: readonly Edge[] = ALL_EDGES): string {
  const rows = [...edges]
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map((e) => `  (${[e.object, e.command, e.from, e.to, e.mode].map(quoted).join(', ')})`);
  return [
    '-- Generated from packages/catalogue/src/edges.ts by `npm run generate`; do not edit.',
    "update dispatch.transitions set mode = 'retired';",
    'insert into dispatch.transitions (object, command, before_state, after_state, mode) values',
    `${rows.join(',\n')}`,
    'on conflict (object, command, before_state, after_state) do update set mode = excluded.mode;',
    '',
  ].join('\n');
}

/**
 * Compares the database's edges with the ones in this code, as every start must: the two drifting apart is how
 * an emergency path answers 500.
 * @throws StartError `not_migrated` naming the first difference
 */
export async function assertTransitions(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ edge: string; mode: string }>(
    `select object || ' ' || command || ' ' || before_state || ' ' || after_state as edge, mode
       from dispatch.transitions where mode <> 'retired'`,
  );
  const stored = new Map(rows.map((r) => [r.edge, r.mode]));
  const wanted = new Map(ALL_EDGES.map((e) => [keyOf(e), e.mode as string]));
  const differs =
    [...wanted].find(([edge, mode]) => stored.get(edge) !== mode)?.[0] ??
    [...stored.keys()].find((edge) => !wanted.has(edge));
  if (differs !== undefined) {
    throw new StartError(
      'not_migrated',
      `The database's transitions differ from this code at "${differs}": run "deadlatch migrate".`,
    );
  }
}
