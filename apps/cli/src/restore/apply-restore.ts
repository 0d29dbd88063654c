import {
  type AuditEffect,
  type AuditEvent,
  directoryEntry,
  type RestoreAcceptance,
  type RestoredBackup,
} from '@deadlatch/audit-log';
import { RESTORE } from '@deadlatch/catalogue';
import type pg from 'pg';
import { currentDirectory, currentObjects } from '../audit/current-state.ts';
import { readRows } from '../audit/read-rows.ts';
import { type OperatorEvent, type OperatorSigner, operatorEvent } from '../operator-event.ts';
import { deedsOf, eventsOf, type LoggedEvent } from './lost-events.ts';
import type { PublishedLog } from './read-log.ts';

/** What was done, in numbers. */
export interface RestoreReport {
  /** events of the log that the backup does not have */
  readonly lost: number;
  /** approvals that must be asked for again */
  readonly voided: number;
  /** keys that stay revoked */
  readonly revoked: number;
}

interface Restore {
  readonly client: pg.Client;
  readonly signer: OperatorSigner;
  readonly now: number;
  /** in every event of the restore */
  readonly details: AuditEvent['details'];
}

/** So many entries of any kind stay well below the longest event that the log takes. */
const PER_EVENT = 100;

/**
 * Puts the restored database behind the log that went on without it, and makes void what must not be believed any
 * more. One transaction: either the backup is accepted wholly or nothing happened.
 * @param acceptances of enough people; the events carry them, and every verifier checks them again
 */
export async function applyRestore(
  client: pg.Client,
  signer: OperatorSigner,
  log: PublishedLog,
  backup: RestoredBackup,
  acceptances: readonly RestoreAcceptance[],
  now: number,
): Promise<RestoreReport> {
  const { environment: _, ...which } = backup;
  const restore = { client, signer, now, details: { ...which, accepted_by: acceptances } };
  await client.query('begin');
  try {
    const report = await applied(restore, log, backup.restored_size);
    await client.query('commit');
    return report;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function applied(restore: Restore, log: PublishedLog, first: number): Promise<RestoreReport> {
  const { client } = restore;
  const logged = eventsOf(log.entriesFrom(first));
  const { rows: known } = await client.query<{ id: string }>(
    'select id from audit.events where id = any($1::uuid[])',
    [logged.map(({ event }) => event.id)],
  );
  const isKnown = new Set(known.map(({ id }) => id));
  const lost = logged.filter(({ event }) => !isKnown.has(event.id));
  await client.query('select audit.restore_log($1)', [JSON.stringify(logRows(log, first, logged, lost))]);

  const deeds = deedsOf(lost.map(({ event }) => event));
  for (const restored of partsOf(await objectsAsRestored(client, deeds.objects)))
    await writeEvent(restore, { restored });
  const { rows: tenants } = await client.query<{ id: string }>('select id from dispatch.tenants order by id');
  let voided = 0;
  for (const { id } of tenants) voided += await voidTenant(restore, id, deeds);
  const changed = new Set([
    ...deeds.rows,
    ...tenants.map(({ id }) => `pauses:tenant/${id}`),
    ...deeds.revoked.map((keyid) => `service_keys:${keyid}`),
  ]);
  for (const directory of partsOf(await rowsAsTheyAre(client, changed)))
    await writeEvent(restore, {}, directory);
  return { lost: lost.length, voided, revoked: deeds.revoked.length };
}

function logRows(
  log: PublishedLog,
  first: number,
  logged: readonly LoggedEvent[],
  lost: readonly LoggedEvent[],
) {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    size: log.head.size,
    first,
    root: hex(log.head.root),
    witnessed_note: hex(log.note),
    entries: logged.map(({ entry, event }) => ({
      index: entry.index,
      tenant_id: event.tenant,
      event_id: event.id,
      leaf_hash: hex(entry.leafHash),
    })),
    lost: lost.map(({ entry, event }) => ({
      tenant_id: event.tenant,
      id: event.id,
      at: event.time,
      origin: event.origin,
      command: event.command,
      actor: `${event.actor.kind}:${event.actor.id ?? '-'}`,
      decision: event.decision,
      correlation_id: event.correlation_id,
      ticket_id: ticketOf(event),
      body: hex(entry.body),
    })),
  };
}

function ticketOf({ resource, effects }: AuditEvent): string | null {
  if (resource?.kind === 'ticket') return resource.id;
  return effects.find(({ object }) => object === 'ticket')?.id ?? null;
}

/** The objects that lost events changed, as the backup has them: what the trail goes on from. */
async function objectsAsRestored(client: pg.Client, objects: readonly string[]): Promise<string[]> {
  const entries = new Map(objects.map((name) => [name, `${name.replace(' ', ':')}:0:-`]));
  for await (const { object, id, version, state } of currentObjects(client)) {
    const name = `${object} ${id}`;
    if (entries.has(name)) entries.set(name, `${object}:${id}:${version}:${state}`);
  }
  return [...entries.values()];
}

async function rowsAsTheyAre(client: pg.Client, names: ReadonlySet<string>): Promise<string[]> {
  const entries = new Map<string, string>();
  for await (const row of currentDirectory(client)) {
    const name = `${row.table}:${row.id}`;
    if (names.has(name)) entries.set(name, directoryEntry(row));
  }
  for (const name of names) if (!entries.has(name)) entries.set(name, `${name}:-`);
  return [...entries.values()];
}

interface Pending {
  readonly approval_id: string;
  readonly approval_version: number;
  readonly ticket_id: string;
  readonly ticket_version: number;
  readonly before_state: string;
  readonly resume_state: string;
}

/** @returns how many approvals it made void */
async function voidTenant(
  restore: Restore,
  tenantId: string,
  { revoked, delivered }: Pick<ReturnType<typeof deedsOf>, 'revoked' | 'delivered'>,
): Promise<number> {
  const { client } = restore;
  const pending: Pending[] = [];
  const rows = readRows<Pending>(
    client,
    `select a.id as approval_id, a.version as approval_version, t.id as ticket_id, t.version as ticket_version,
            t.state as before_state,
            case when t.state = 'ON_HOLD' then 'READY_TO_SCHEDULE' else a.resume_denied end as resume_state
       from dispatch.approvals a
       join dispatch.tickets t on t.tenant_id = a.tenant_id and t.id = a.ticket_id
      where a.tenant_id = $1 and a.state = 'PENDING' and t.state in ('APPROVAL_REQUIRED', 'ON_HOLD')`,
    [tenantId],
  );
  for await (const row of rows) pending.push(row);
  // Once at least: sessions and turns end, and agents wait, even where nothing was pending.
  for (const voided of partsOf(pending, true)) {
    const event = restoreEvent(restore, tenantId, {}, [], voided.flatMap(effectsOf));
    const input = { tenant_id: tenantId, event, voided, revoked, delivered };
    await client.query('select audit.restore_tenant($1)', [JSON.stringify(input)]);
  }
  return pending.length;
}

function effectsOf(pending: Pending): AuditEffect[] {
  const { approval_id, approval_version, ticket_id, ticket_version, before_state, resume_state } = pending;
  return [
    {
      object: 'ticket',
      id: ticket_id,
      version: ticket_version + 1,
      before_state,
      after_state: resume_state,
    },
    {
      object: 'approval',
      id: approval_id,
      version: approval_version + 1,
      before_state: 'PENDING',
      after_state: 'VOID',
    },
  ];
}

function restoreEvent(
  { signer, details, now }: Restore,
  tenantId: string,
  more: AuditEvent['details'],
  directory: readonly string[],
  effects: readonly AuditEffect[],
): OperatorEvent {
  return operatorEvent(
    { ...signer, tenantId },
    { command: RESTORE, details: { ...details, ...more }, directory, effects, now },
  );
}

/** An event that only tells. */
async function writeEvent(
  restore: Restore,
  more: AuditEvent['details'],
  directory: readonly string[] = [],
): Promise<void> {
  const { client, signer } = restore;
  const {
    id,
    correlation_id: correlationId,
    body,
  } = restoreEvent(restore, signer.tenantId, more, directory, []);
  await client.query(
    `insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, body)
     values ($1, $2, 'operator', $3, 'operator', 'accepted', $4, convert_to($5, 'UTF8'))`,
    [signer.tenantId, id, RESTORE, correlationId, body],
  );
}

function partsOf<T>(items: readonly T[], atLeastOne = false): T[][] {
  const parts: T[][] = atLeastOne && items.length === 0 ? [[]] : [];
  for (let at = 0; at < items.length; at += PER_EVENT) parts.push(items.slice(at, at + PER_EVENT));
  return parts;
}
