import { ALL_EDGES, BOOTSTRAP, RESTORE } from '@deadlatch/catalogue';
import {
  type AuthorityTable,
  type DirectoryRow,
  directoryDigest,
  directoryEntry,
  goneEntry,
  parseDirectoryEntry,
} from './directory.ts';
import type { AuditEvent } from './event.ts';
import { isPublishedBy, publicationsBefore } from './publication-rows.ts';

/** An object as it stands now, to be explained by the trail. */
export interface CurrentObject {
  readonly object: string;
  readonly id: string;
  readonly version: number;
  readonly state: string;
}

const EDGES: ReadonlySet<string> = new Set(ALL_EDGES.map((e) => edgeKey(e.object, e.command, e.from, e.to)));

function edgeKey(object: string, command: string, from: string, to: string): string {
  return `${object} ${command} ${from} ${to}`;
}

/** `<object>:<id>:<version>:<state>`; version 0 for an object that the backup does not have. */
const RESTORED = /^([a-z]+):([0-9a-f-]{36}):(0|[1-9]\d{0,8}):([A-Z_]+|-)$/;

/** Which rows of authority a command may state. The verifier's own list: it does not ask the writer. */
const STATED_BY: ReadonlyMap<string, readonly AuthorityTable[]> = new Map([
  ['account.create', ['accounts']],
  ['account.change', ['accounts']],
  ['site.create', ['sites', 'site_schedules']],
  ['site.change', ['sites', 'site_schedules']],
  ['asset.create', ['assets']],
  ['asset.change', ['assets']],
  ['asset.retire', ['assets']],
  ['technician.create', ['technicians', 'technician_schedules']],
  ['technician.change', ['technicians', 'technician_schedules']],
  ['technician.deactivate', ['technicians']],
  ['incident_type.publish', ['publications']],
  ['template.publish', ['publications']],
  ['autonomy.set', ['accounts', 'autonomy_settings']],
  ['act.confirm', ['accounts', 'contacts', 'contact_memberships', 'act_confirmations']],
]);

/** Rows that are versioned objects too: the operator's first event about one is its version 1. */
const OBJECT_OF: ReadonlyMap<string, string> = new Map([
  ['accounts', 'account'],
  ['sites', 'site'],
  ['contacts', 'contact'],
  ['contact_memberships', 'membership'],
  ['staff', 'staff'],
  ['technicians', 'technician'],
]);
const FIRST = { version: 1, state: 'ACTIVE' } as const;

/** What the events so far say there is: the last version of each object, and each row of authority. */
export interface TrailState {
  /** Takes one event's word. @returns what is wrong with it */
  apply(event: AuditEvent): readonly string[];
  /** Holds an object as it stands now against it. @returns why it is not explained */
  explainObject(object: CurrentObject): string | undefined;
  /** Holds a row of authority as it stands now against it. @returns why it is not explained */
  explainRow(row: DirectoryRow): string | undefined;
  /** What was stated and never shown: objects and rows that are gone. */
  missing(): readonly string[];
}

/** A state that no event has said anything about yet. */
export function createTrailState(): TrailState {
  const last = new Map<string, { readonly version: number; readonly state: string }>();
  const stated = new Map<string, string>();
  const shown = new Set<string>();
  const bootstrapped = new Set<string>();
  /** Tenants that the operator put on file before there were publications. */
  const older = new Set<string>();
  const lastOf = (id: string) => last.get(id) ?? (bootstrapped.has(id) ? FIRST : undefined);

  const applyEffect = (event: AuditEvent, effect: AuditEvent['effects'][number]): string | undefined => {
    const id = `${effect.object} ${effect.id}`;
    const before = lastOf(id) ?? { version: 0, state: '-' };
    last.set(id, { version: effect.version, state: effect.after_state });
    if (effect.version !== before.version + 1)
      return `${id}: version ${effect.version} follows ${before.version}`;
    if (effect.before_state !== before.state)
      return `${id}: comes from ${effect.before_state}, but was ${before.state}`;
    const edge = edgeKey(effect.object, event.command, effect.before_state, effect.after_state);
    return EDGES.has(edge) ? undefined : `${id}: no such edge: ${edge}`;
  };
  const applyEntry = (event: AuditEvent, entry: string): string | undefined => {
    const read = parseDirectoryEntry(entry);
    if (!read) return `states a row of authority in no known form: ${entry.slice(0, 80)}`;
    const [table = '', id = ''] = read.row.split(':');
    if (event.origin === 'dispatch' && !isStatable(event.command, table))
      return `states a row of authority that it cannot change: ${read.row}`;
    if (table === 'publications' && event.origin === 'dispatch') {
      const isNew = !stated.has(read.row) && read.digest !== null;
      if (!isNew || !isPublishedBy(event.command, event.tenant, id))
        return `states a publication that is not its to make: ${read.row}`;
    }
    const object = OBJECT_OF.get(table);
    if (event.command === BOOTSTRAP && object !== undefined) bootstrapped.add(`${object} ${id}`);
    if (read.digest === null) stated.delete(read.row);
    else stated.set(read.row, read.digest);
    return undefined;
  };
  const applyBootstrap = (event: AuditEvent) => {
    const isFirst = event.origin === 'operator' && event.command === BOOTSTRAP;
    const states = directoryOf(event).some((entry) => entry.startsWith('publications:'));
    if (isFirst && !states) older.add(event.tenant);
  };
  /** One row of what a migration wrote is explained by all of them: then the others have to be there too. */
  const explainOlder = (tenant: unknown) => {
    if (typeof tenant !== 'string' || !older.delete(tenant)) return;
    for (const row of publicationsBefore(tenant)) {
      const name = `${row.table}:${row.id}`;
      if (!stated.has(name)) stated.set(name, directoryDigest(row));
    }
  };
  /** A restored backup put it back to what it was; whatever was lost is in the log all the same. */
  const applyRestored = (entry: string): string | undefined => {
    const [, object, id, version, state] = RESTORED.exec(entry) ?? [];
    if (object === undefined || state === undefined)
      return `restores an object in no known form: ${entry.slice(0, 80)}`;
    if (version === '0') last.delete(`${object} ${id}`);
    else last.set(`${object} ${id}`, { version: Number(version), state });
    return undefined;
  };
  return {
    apply: (event) => {
      applyBootstrap(event);
      return [
        ...restoredBy(event).map(applyRestored),
        ...event.effects.map((effect) => applyEffect(event, effect)),
        ...directoryOf(event).map((entry) => applyEntry(event, entry)),
      ].filter((reason) => reason !== undefined);
    },
    explainObject: ({ object, id, version, state }) => {
      const name = `${object} ${id}`;
      const known = lastOf(name);
      if (shown.has(name)) return `${name} is shown twice`;
      shown.add(name);
      return known?.version === version && known.state === state
        ? undefined
        : `${name} is at version ${version} in ${state}, which no event explains`;
    },
    explainRow: (row) => {
      const name = `${row.table}:${row.id}`;
      if (row.table === 'publications' && !stated.has(name)) explainOlder(row.values.tenant_id);
      const digest = stated.get(name);
      if (digest === undefined) return `${name} was put there by no event`;
      if (shown.has(name)) return `${name} is shown twice`;
      shown.add(name);
      return digest === directoryDigest(row) ? undefined : `${name} is not as the last event about it states`;
    },
    missing: () =>
      [...last.keys(), ...stated.keys()]
        .filter((name) => !shown.has(name))
        .map((name) => `${name} is gone, and no event took it away`),
  };
}

function isStatable(command: string, table: string): boolean {
  const tables: readonly string[] = command.startsWith('autonomy.')
    ? ['pauses', ...(STATED_BY.get(command) ?? [])]
    : (STATED_BY.get(command) ?? []);
  return tables.includes(table);
}

/** Objects that are not as the log left them, since the operator accepted a backup that was taken before. */
function restoredBy({ origin, command, details: { restored } }: AuditEvent): readonly string[] {
  return origin === 'operator' && command === RESTORE && Array.isArray(restored) ? restored : [];
}

/** What an accepted event says of rows of authority. Pauses are stated by their commands, the rest by digests. */
function directoryOf(event: AuditEvent): readonly string[] {
  if (event.decision !== 'accepted') return [];
  const { scope, scope_id: scopeId, directory } = event.details;
  const id = `${scope}/${scopeId}`;
  if (event.origin === 'dispatch' && event.command === 'autonomy.pause')
    return [directoryEntry({ table: 'pauses', id, values: { tenant_id: event.tenant } })];
  if (event.origin === 'dispatch' && event.command === 'autonomy.resume') return [goneEntry('pauses', id)];
  // Only the authority and the operator state rows: another's word would make it an authority over who may do what.
  const mayState = event.origin === 'operator' || event.origin === 'dispatch';
  return mayState && Array.isArray(directory) ? directory : [];
}
