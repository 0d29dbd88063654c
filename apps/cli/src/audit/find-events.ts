import { isInstant, isUuid } from '@deadlatch/kernel';
import type pg from 'pg';
import { type Arguments, UsageError } from '../arguments.ts';
import { readRows } from './read-rows.ts';

/** Which events are asked for; every part that is given must hold. */
export interface EventFilter {
  readonly correlation?: string;
  readonly ticket?: string;
  /** a person's id: whatever names it */
  readonly subject?: string;
  readonly event?: string;
  readonly since?: string;
  readonly until?: string;
}

export interface FoundEvent {
  readonly id: string;
  readonly body: Buffer;
  /** its place in the log; null while it waits for one */
  readonly index: number | null;
}

/** @throws UsageError for an id or a time that is none */
export function readFilter(args: Arguments): EventFilter {
  const { correlation, ticket, event, since, until } = args;
  // `staff:<id>` as events write it, or the id alone.
  const subject = args.subject?.slice(args.subject.lastIndexOf(':') + 1);
  for (const id of [correlation, ticket, event, subject]) {
    if (id !== undefined && !isUuid(id)) throw new UsageError(`"${id}" is no id`);
  }
  for (const time of [since, until]) {
    if (time !== undefined && !isInstant(time))
      throw new UsageError(`"${time}" is no time like 2026-03-01T12:00:00.000Z`);
  }
  const given = Object.entries({ correlation, ticket, subject, event, since, until });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/**
 * That the operator read about somebody is no event of theirs; it stands in chains, and in no proof for a customer.
 * Events of a ticket stand in its timeline or name it; with the chains they belong to where those are asked for.
 */
const MATCHES = `
  ($1::uuid is null or e.correlation_id = $1)
  and ($2::uuid is null or e.ticket_id = $2 or position(convert_to($2::text, 'UTF8') in e.body) > 0
       or ($7 and e.correlation_id in (select t.correlation_id from audit.events t where t.ticket_id = $2)))
  and ($3::text is null or position(convert_to($3, 'UTF8') in e.body) > 0)
  and ($4::uuid is null or e.id = $4)
  and ($5::timestamptz is null or e.at >= $5)
  and ($6::timestamptz is null or e.at < $6)
  and ($7 or e.command <> 'audit.read')`;

/**
 * The events that match, oldest first.
 * @param withChains the other events of a ticket's correlations too
 */
export function findEvents(
  client: pg.Client,
  filter: EventFilter,
  withChains: boolean,
): AsyncIterable<FoundEvent> {
  const { correlation = null, ticket = null, subject = null, event = null } = filter;
  return readRows<FoundEvent>(
    client,
    `select e.id, e.body, l.index::float8 as index
       from audit.events e left join audit.log_entries l on l.tenant_id = e.tenant_id and l.event_id = e.id
      where ${MATCHES} order by e.at, e.id`,
    [correlation, ticket, subject, event, filter.since ?? null, filter.until ?? null, withChains],
  );
}
