import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent } from '@deadlatch/audit-log';
import type { Beside } from '../../../apps/cli/src/audit/verify-files.ts';
import { verifyInstallation } from '../../../apps/cli/src/audit/verify-installation.ts';
import { asOperator, type Operator } from '../../../apps/cli/src/operator.ts';
import { until } from '../../scenario/browser.ts';
import type { Known } from './load.ts';

/** A row that failed often waits for a minute before it is tried again. */
const DRAINED_WITHIN_MS = 120_000;

/** What still waits to be done, by name; all zero when the system has come to rest. */
async function waiting({ client, tenantId }: Operator, stateDir: string): Promise<Record<string, number>> {
  const { rows } = await client.query<Record<string, number>>(
    `select (select count(*)::int from dispatch.outbox
              where tenant_id = $1 and delivered_at is null and abandoned_at is null) as outbox,
            (select count(*)::int from dispatch.messages where tenant_id = $1 and state = 'QUEUED') as queued,
            (select count(*)::int from audit.unsequenced) as unsequenced,
            (select (size - witnessed_size)::int from audit.log_head) as unwitnessed`,
    [tenantId],
  );
  const filesIn = async (folder: string) => (await readdir(join(stateDir, 'inbox', folder))).length;
  return { ...rows[0], inbox: await filesIn('waiting'), held: await filesIn('held') };
}

/** Waits until nothing is under way. @returns how long that took, in milliseconds */
export async function drained(stateDir: string): Promise<number> {
  const started = performance.now();
  let left: Record<string, number> = {};
  try {
    await until(
      'everything to be handed over',
      () =>
        asOperator(stateDir, async (operator) => {
          left = await waiting(operator, stateDir);
          return Object.values(left).every((count) => count === 0) ? true : undefined;
        }),
      DRAINED_WITHIN_MS,
    );
  } catch (cause) {
    throw new Error(`still waiting: ${JSON.stringify(left)}`, { cause });
  }
  return performance.now() - started;
}

/** The whole trail, and the rows that must agree with it. */
export interface Books {
  readonly events: readonly AuditEvent[];
  /** Ids of the events that effects name. */
  readonly effects: readonly string[];
  readonly idempotency: readonly { readonly key: string; readonly event_id: string }[];
  /** Ids of events by the table of records that they made. */
  readonly records: Readonly<Record<string, readonly string[]>>;
  readonly evidence: readonly { readonly id: string; readonly state: string; readonly version: number }[];
  readonly tickets: readonly { readonly id: string; readonly version: number; readonly effects: number }[];
  readonly messages: readonly {
    readonly direction: 'IN' | 'OUT';
    readonly state: string;
    readonly provider_id: string | null;
  }[];
}

export async function openBooks({ client, tenantId }: Operator): Promise<Books> {
  const all = async <Row extends object>(text: string): Promise<Row[]> =>
    (await client.query<Row>(text, [tenantId])).rows;
  const bodies = await all<{ body: string }>(
    `select convert_from(body, 'UTF8') as body from audit.events where tenant_id = $1 order by at, id`,
  );
  const idsIn = async (table: string) =>
    (await all<{ event_id: string }>(`select event_id from dispatch.${table} where tenant_id = $1`)).map(
      (row) => row.event_id,
    );
  return {
    effects: (
      await all<{ id: string }>('select distinct event_id as id from audit.effects where tenant_id = $1')
    ).map(({ id }) => id),
    events: bodies.map(({ body }) => JSON.parse(body) as AuditEvent),
    idempotency: await all('select key, event_id from dispatch.idempotency where tenant_id = $1'),
    records: {
      'part.record': await idsIn('parts'),
      'time.record': await idsIn('times'),
      'test.record': await idsIn('tests'),
    },
    evidence: await all('select id, state, version from dispatch.evidence where tenant_id = $1'),
    tickets: await all(
      `select t.id, t.version, (select count(*)::int from audit.effects e
         where e.tenant_id = t.tenant_id and e.object_id = t.id) as effects
       from dispatch.tickets t where t.tenant_id = $1`,
    ),
    messages: await all('select direction, state, provider_id from dispatch.messages where tenant_id = $1'),
  };
}

/**
 * Compares what everybody outside was told with what stands inside: each acceptance is there once with its effect,
 * and nothing is there that was not asked for.
 */
export function compare(books: Books, known: Known): void {
  const accepted = books.events.filter((event) => event.decision === 'accepted');
  const ofKey = Map.groupBy(accepted, (event) => event.request.idempotency_key ?? '');
  const recordsOfKey = Map.groupBy(books.idempotency, ({ key }) => key);

  for (const { client, command, key, eventId, code } of known.settled) {
    const said = `${client} ${command} ${key}`;
    const events = ofKey.get(key) ?? [];
    if (eventId === null) {
      assert.deepEqual(events, [], `${said} was refused with ${code}, and yet happened`);
      continue;
    }
    assert.deepEqual(
      events.map((event) => [event.id, event.command]),
      [[eventId, command]],
      `${said} is in the trail once`,
    );
    assert.deepEqual(
      recordsOfKey.get(key)?.map((row) => row.event_id),
      [eventId],
      `${said} has one stored answer`,
    );
  }

  for (const [key, events] of ofKey) {
    if (key !== '') assert.equal(events.length, 1, `${events[0]?.command} was accepted twice under one key`);
  }
  const commands = accepted.flatMap((event) =>
    event.origin === 'dispatch' && event.request.idempotency_key !== null ? [event.id] : [],
  );
  const answered = books.idempotency.map((row) => row.event_id);
  assert.deepEqual(answered.sort(), [...commands].sort(), 'each accepted command has one event');
  // Who there was at the start, the operator stated.
  const stated = accepted.flatMap((event) => (event.origin === 'operator' ? [event.id] : []));
  const isAccepted = new Set([...commands, ...stated]);
  assert.deepEqual(
    books.effects.filter((id) => !isAccepted.has(id)),
    [],
    'nothing was done but by an accepted command',
  );
  compareRecords(books, accepted, known);
  compareTexts(books, known);
}

function compareRecords(books: Books, accepted: readonly AuditEvent[], known: Known): void {
  const sorted = (ids: Iterable<string>) => [...new Set(ids)].sort();
  for (const [command, rows] of Object.entries(books.records)) {
    const told = known.settled.flatMap((s) =>
      s.command === command && s.eventId !== null ? [s.eventId] : [],
    );
    const events = accepted.flatMap((event) => (event.command === command ? [event.id] : []));
    assert.deepEqual([...rows].sort(), sorted(told), `${command}: each record once, and no other`);
    assert.deepEqual([...events].sort(), sorted(told), `${command}: each event once, and no other`);
  }
  const finalized = known.settled.flatMap((s) =>
    s.command === 'evidence.finalize' && s.code === null ? [String(s.result.evidence_id)] : [],
  );
  const final = books.evidence.filter(({ state }) => state === 'FINALIZED');
  assert.deepEqual(sorted(final.map(({ id }) => id)), sorted(finalized), 'evidence that is final');
  assert.deepEqual(
    final.filter(({ version }) => version !== 2),
    [],
    'evidence was announced once and finalized once',
  );
  assert.deepEqual(
    books.tickets.filter(({ version, effects }) => version !== effects),
    [],
    'a ticket has as many versions as effects',
  );
  const created = known.settled.flatMap((s) =>
    s.command === 'ticket.create' && s.ticket !== null ? [s.ticket.id] : [],
  );
  const ids = new Set(books.tickets.map(({ id }) => id));
  assert.deepEqual(
    created.filter((id) => !ids.has(id)),
    [],
    'every ticket that somebody was told of exists',
  );
}

/** @source R.5 */
function compareTexts({ messages }: Books, known: Known): void {
  const inbound = messages.filter(({ direction }) => direction === 'IN').map((m) => m.provider_id ?? '');
  assert.deepEqual(
    [...inbound].sort(),
    known.texts.map(({ sid }) => sid).sort(),
    'every text that was taken over is there once, and no other',
  );
  const ends = new Set(['SENT', 'DELIVERED', 'SUPERSEDED', 'FAILED']);
  assert.deepEqual(
    messages.filter(({ direction, state }) => direction === 'OUT' && !ends.has(state)),
    [],
    'no message waits for ever',
  );
}

/** How many texts arrived on phones, and how many messages say that theirs did. */
export async function arrivals(books: Books, simulator: string): Promise<{ phones: number; sent: number }> {
  const response = await fetch(`${simulator}/api/state`);
  const { phones } = (await response.json()) as { phones: { slug: string }[] };
  let count = 0;
  for (const { slug } of phones) {
    const phone = await fetch(`${simulator}/api/phones/${slug}`);
    const { messages } = (await phone.json()) as { messages: { direction: string }[] };
    count += messages.filter(({ direction }) => direction === 'received').length;
  }
  const sent = books.messages.filter(
    ({ direction, state }) => direction === 'OUT' && (state === 'SENT' || state === 'DELIVERED'),
  );
  return { phones: count, sent: sent.length };
}

/**
 * The log covers the trail, the trail explains every row, and what was signed and promised before still holds.
 * @param beside checkpoints that an auditor kept from before, and receipts
 */
export async function assertVerified(stateDir: string, beside?: Beside): Promise<number> {
  const report = await asOperator(stateDir, (operator) => verifyInstallation(operator, beside));
  assert.deepEqual(report.problems, []);
  return report.events;
}
