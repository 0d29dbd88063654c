import { ALL_EDGES, type Edge } from '@deadlatch/catalogue';
import type { Pool } from './pool.ts';
import { StartError } from './start-error.ts';

const keyOf = (e: Pick<Edge, 'object' | 'command' | 'from' | 'to'>): string =>
  [e.object, e.command, e.from, e.to].join(' ');

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
