import { type AuditEvent, createTrailCheck, type TrailReport } from '@deadlatch/audit-log';
import { isUuid } from '@deadlatch/kernel';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { currentDirectory, currentObjects } from '../audit/current-state.ts';
import { inSnapshot, readRows } from '../audit/read-rows.ts';
import { asOperator, type Operator } from '../operator.ts';

/** `deadlatch audit show`: the trail, oldest first; of one correlation or one ticket when asked. */
export async function auditShow(args: Arguments): Promise<number> {
  for (const id of [args.correlation, args.ticket]) {
    if (id !== undefined && !isUuid(id)) throw new UsageError(`"${id}" is no id`);
  }
  const events = await asOperator(args.stateDir, async ({ client, tenantId }) => {
    const { rows } = await client.query<{ body: string }>(
      `select convert_from(body, 'UTF8') as body from audit.events
       where tenant_id = $1 and ($2::uuid is null or correlation_id = $2) and ($3::uuid is null or ticket_id = $3)
       order by at, id`,
      [tenantId, args.correlation ?? null, args.ticket ?? null],
    );
    return rows.map(({ body }) => JSON.parse(body) as AuditEvent);
  });
  for (const event of events) {
    process.stdout.write(`${args.json ? JSON.stringify(event) : describeEvent(event)}\n`);
  }
  return EXIT.done;
}

/** One line of the chain. */
export function describeEvent(event: AuditEvent): string {
  const actor = event.actor
    ? `${event.actor.agent_role ? `${event.actor.agent_role} for ` : ''}${event.actor.kind}`
    : event.origin;
  const moves = event.effects
    .map((e) => `${e.object} ${e.before_state}>${e.after_state} v${e.version}`)
    .join(', ');
  const said = event.decision === 'accepted' ? moves || 'no change' : `refused: ${event.code ?? ''}`;
  return `${event.time}  ${event.command.padEnd(26)} ${actor.padEnd(24)} ${said}`;
}

/** `deadlatch audit verify`: exit code 0 when every event, signature and object is accounted for. */
export async function auditVerify(args: Arguments): Promise<number> {
  const report = await asOperator(args.stateDir, verifyDatabase);
  if (args.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(describeReport(report));
  return report.problems.length === 0 ? EXIT.done : EXIT.failed;
}

function describeReport(report: TrailReport): string {
  const { events, signatures, effects, objects, problems } = report;
  const lines = problems.map(
    ({ index, eventId, reason }) => `  ${index ?? '-'} ${eventId ?? '-'} ${reason}\n`,
  );
  return (
    `${events} events canonical, ${signatures} request signatures verified, ${effects} effects follow the edge table, ` +
    `${objects} objects explained: ${problems.length === 0 ? 'all well' : `${problems.length} problems`}\n${lines.join('')}`
  );
}

/** Checks the trail of a running system against its rows. */
export async function verifyDatabase({ client, trust }: Operator): Promise<TrailReport> {
  const { environment, services, token_keys: tokenKeys, operators } = trust;
  const check = createTrailCheck({ environment, services, tokenKeys, operators });
  return inSnapshot(client, async () => {
    const events = readRows<{ body: Buffer }>(client, 'select body from audit.events order by at, id');
    for await (const { body } of events) check.event(body);
    for await (const object of currentObjects(client)) check.object(object);
    for await (const row of currentDirectory(client)) check.row(row);
    return check.finish(true);
  });
}
