import type { AuditEvent } from '@deadlatch/audit-log';
import { parseStrictJson } from '@deadlatch/kernel';
import type { LogEntry } from './read-log.ts';

/** An event that the log has and the restored database may not. */
export interface LoggedEvent {
  readonly entry: LogEntry;
  readonly event: AuditEvent;
}

/** What the lost events say that must not be undone by having been lost. */
export interface LostDeeds {
  /** objects that lost events changed, as `<object> <id>` */
  readonly objects: readonly string[];
  /** rows of authority that lost events stated, as `<table>:<id>` */
  readonly rows: readonly string[];
  /** keys that were revoked */
  readonly revoked: readonly string[];
  /** messages that were handed to the carrier */
  readonly delivered: readonly string[];
}

/** The events of entries that were proven to be the log's: they were written by our services and are well-formed. */
export function eventsOf(entries: readonly LogEntry[]): LoggedEvent[] {
  return entries.map((entry) => ({
    entry,
    event: parseStrictJson(entry.body) as unknown as AuditEvent,
  }));
}

/** Collects what lost events did. Refusals did nothing. */
export function deedsOf(lost: readonly AuditEvent[]): LostDeeds {
  const accepted = lost.filter(({ decision }) => decision === 'accepted');
  const of = (command: string) => accepted.filter((event) => event.command === command);
  const textsOf = (events: readonly AuditEvent[], pick: (event: AuditEvent) => unknown) =>
    events.map(pick).filter((value) => typeof value === 'string');
  return {
    objects: [
      ...new Set(accepted.flatMap(({ effects }) => effects.map(({ object, id }) => `${object} ${id}`))),
    ],
    rows: [
      ...new Set([
        ...accepted
          .flatMap(({ details }) => (Array.isArray(details.directory) ? details.directory : []))
          .map((entry: string) => entry.slice(0, entry.lastIndexOf(':'))),
        ...[...of('autonomy.pause'), ...of('autonomy.resume')].map(
          ({ details }) => `pauses:${details.scope}/${details.scope_id}`,
        ),
      ]),
    ],
    revoked: textsOf(of('operator.revoke_service_key'), ({ details }) => details.keyid),
    delivered: textsOf(of('message.report_delivery'), ({ resource }) => resource?.id),
  };
}
