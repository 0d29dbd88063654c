import { type Clock, toInstant } from '@deadlatch/kernel';
import { sql, type Tx } from '@deadlatch/postgres';
import { type EventSource, readEventBody } from '../command/audit-event.ts';
import { actorName } from '../command/call.ts';
import type { Proven } from '../command/caller.ts';

/**
 * A page that is open refreshes itself; each refresh tells nothing new. Ten minutes are the life of a turn and of a code,
 * too, the time that everything short-lived has here: who reads for longer is seen reading again.
 */
const WINDOW_MS = 10 * 60_000;
/** Readers and questions that are remembered; beyond it the oldest is forgotten, and then written once more. */
const CAPACITY = 10_000;

/** A look at the trail. */
export interface TrailRead {
  readonly command: string;
  /** Whose trail; null for a search in all of it. */
  readonly resource: { readonly kind: string; readonly id: string } | null;
  /** What was asked for, as ids and closed words. */
  readonly asked: Readonly<Record<string, string>>;
  /** How many events are shown. */
  readonly events: number;
}

/** That somebody reads the trail is an event of the trail, once in a while. */
export interface TrailReads {
  /**
   * Writes it in the transaction of the read: what cannot be recorded is not shown.
   * @returns to be called once the transaction committed
   */
  record(tx: Tx, proven: Proven, read: TrailRead): Promise<() => void>;
}

/**
 * One event per reader, question and ten minutes, of each replica: reading in a loop cannot fill the trail.
 * @source design 03: reading the audit trail is itself audited
 */
export function createTrailReads(
  options: EventSource & {
    readonly now: Clock;
    readonly newId: () => string;
    readonly traceId: () => string | null;
    readonly capacity?: number;
  },
): TrailReads {
  const { now, newId, traceId, capacity = CAPACITY } = options;
  const recorded = new Map<string, number>();
  return {
    record: async (tx, proven, { command, resource, asked, events }) => {
      const { caller } = proven;
      const actor = actorName(caller);
      const name = JSON.stringify([caller.tenantId, actor, command, resource?.id ?? null, asked]);
      const last = recorded.get(name);
      if (last !== undefined && now() < last + WINDOW_MS) return () => undefined;
      const id = newId();
      const input = {
        ...{ id, command, proven, time: toInstant(now()), inputDigest: '', traceId: traceId(), resource },
        // Not in the ticket's own timeline, where who looked would soon hide what happened.
        ticketId: null,
      };
      const body = readEventBody(options, input, { ...asked, events });
      await tx.run(sql`
        insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
        values (${caller.tenantId}, ${id}, 'dispatch', ${command}, ${actor}, 'accepted',
                ${caller.context.correlationId}, null, convert_to(${body}, 'UTF8'))`);
      return () => {
        recorded.delete(name);
        if (recorded.size >= capacity) recorded.delete(recorded.keys().next().value ?? '');
        recorded.set(name, now());
      };
    },
  };
}
