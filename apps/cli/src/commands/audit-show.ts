import type { AuditEvent } from '@deadlatch/audit-log';
import { isUuid } from '@deadlatch/kernel';
import { type Arguments, EXIT, StartError, UsageError } from '../arguments.ts';
import { type Confirmation, describeInChain } from '../audit/describe-event.ts';
import { describeExplanation, explain } from '../audit/explain-refusal.ts';
import { type FoundEvent, findEvents, readFilter } from '../audit/find-events.ts';
import { inSnapshot } from '../audit/read-rows.ts';
import { recordRead } from '../audit/record-read.ts';
import { asOperator, type Operator } from '../operator.ts';

/** `deadlatch audit show`: the chain, oldest first. That it was read is an event before anything is printed. */
export async function auditShow(args: Arguments): Promise<number> {
  const filter = readFilter(args);
  await asOperator(args.stateDir, async (operator) => {
    const shown = await inSnapshot(operator.client, async () => {
      const found: FoundEvent[] = [];
      for await (const event of findEvents(operator.client, filter, true)) found.push(event);
      return { found, said: await confirmationsOf(operator, found) };
    });
    await recordRead(operator, { kind: 'show', filter, events: shown.found.length });
    for (const { id, body, index } of shown.found) {
      const event = eventOf(body);
      const confirmations = shown.said.get(id) ?? [];
      process.stdout.write(
        args.json
          ? `${JSON.stringify({ index, event, confirmations })}\n`
          : `${describeInChain(event, index, confirmations)}\n`,
      );
    }
  });
  return EXIT.done;
}

/** `deadlatch audit why ID`: what a refusal wanted; ID is of the request, as its answer named it, event or chain. */
export async function auditWhy(args: Arguments): Promise<number> {
  const [, id = ''] = args.words;
  if (!isUuid(id)) throw new UsageError('audit why ID: of a request, an event or a correlation');
  const refused = await asOperator(args.stateDir, async (operator) => {
    const found = await inSnapshot(operator.client, async () => {
      const named: AuditEvent[] = [];
      for await (const { body } of findEvents(operator.client, { subject: id }, false))
        named.push(eventOf(body));
      return named.filter((event) => [event.id, event.request_id, event.correlation_id].includes(id));
    });
    const events = found.filter(({ decision }) => decision === 'refused');
    await recordRead(operator, { kind: 'why', filter: { event: id }, events: events.length });
    if (events.length === 0) {
      throw new StartError(
        found.length === 0
          ? `No event names ${id}. Who was not known at all, or was counted in a flood, has no event of their own.`
          : `Nothing of ${id} was refused: ${found.length} events, all accepted.`,
      );
    }
    return events;
  });
  for (const event of refused) {
    const answer = explain(event);
    process.stdout.write(args.json ? `${JSON.stringify(answer)}\n` : `${describeExplanation(answer)}\n`);
  }
  return EXIT.done;
}

/** What each event caused to be sent, and how far that came. */
async function confirmationsOf(
  { client }: Operator,
  found: readonly FoundEvent[],
): Promise<ReadonlyMap<string, readonly Confirmation[]>> {
  const { rows } = await client.query<Confirmation & { event_id: string }>(
    `select o.event_id, m.template, m.state, m.contact_id
       from dispatch.outbox o join dispatch.messages m on m.tenant_id = o.tenant_id and m.id = o.ref_id
      where o.event_id = any($1) and m.direction = 'OUT' order by o.created_at, o.id`,
    [found.map(({ id }) => id)],
  );
  return Map.groupBy(rows, (row) => row.event_id);
}

function eventOf(body: Uint8Array): AuditEvent {
  return JSON.parse(Buffer.from(body).toString('utf8')) as AuditEvent;
}
