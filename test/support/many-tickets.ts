import type pg from 'pg';

/** One in so many is not over: a contractor's backlog of one working quarter, beside five years that are done. */
const OPEN_ONE_IN = 5;
/** Effects count only in the transaction that wrote them, so tickets come in transactions of this many. */
const CHUNK = 20_000;

export interface ManyTickets {
  readonly tenantId: string;
  /** Who opened, triaged and sent: a member of staff. */
  readonly staffId: string;
  readonly count: number;
  /** Tickets that were made before, so that none is made twice. */
  readonly from?: number;
  readonly onProgress?: (done: number) => void;
}

/**
 * Makes tickets with everything the database demands of them: each version has its audit event and its effect, written
 * in its own transaction, so that it passes every guard. They lie evenly over the sites and technicians of the tenant; four in
 * five are over, the rest is new, triaged with every priority, or sent out with a live visit.
 * @param owner connected as administrator, in the role of the owner of the tables
 */
export async function makeManyTickets(owner: pg.Client, options: ManyTickets): Promise<void> {
  const { tenantId, staffId, count, from = 0, onProgress } = options;
  for (let done = 0; done < count; done += CHUNK) {
    await owner.query('begin');
    try {
      await owner.query("select set_config('deadlatch.tenant', $1, true)", [tenantId]);
      const until = Math.min(count, done + CHUNK);
      await owner.query(PLAN, [tenantId, from + done, from + until - 1, staffId]);
      // What was just written has no statistics, and would be joined row by row.
      await owner.query('analyze dispatch.many');
      for (const step of STEPS) await owner.query(step);
      await owner.query('drop table dispatch.many');
      await owner.query('commit');
    } catch (error) {
      await owner.query('rollback');
      throw error;
    }
    onProgress?.(Math.min(count, done + CHUNK));
  }
}

/** An id in the form and the order of UUIDv7: the n-th of its kind. */
const idOf = (kind: number, n: string) => `(
  lpad(to_hex((1700000000000 + ${n}) >> 16), 8, '0') || '-' || lpad(to_hex((1700000000000 + ${n}) & 65535), 4, '0')
  || '-7' || substr(md5(${n} || '${kind}'), 1, 3) || '-8' || substr(md5(${n} || '${kind}'), 4, 3)
  || '-' || substr(md5(${n} || '${kind}'), 7, 12))::uuid`;

/** One row for each ticket to make: its ids, its place, and what becomes of it. */
const PLAN = `
  create unlogged table dispatch.many as
  select n, $1::uuid as tenant_id, $4::text as staff_id, ${idOf(0, 'n')} as id, ${idOf(1, 'n')} as created_by, ${idOf(2, 'n')} as moved_by,
    ${idOf(3, 'n')} as sent_by, ${idOf(4, 'n')} as visit_id,
    s.id as site_id, s.account_id, w.id as technician_id,
    now() - (5000000 - n) * interval '1 minute' as reported_at,
    (array['ROUTINE', 'ROUTINE', 'URGENT', 'EMERGENCY'])[1 + (n / ${OPEN_ONE_IN}) % 4] as priority,
    case when n % ${OPEN_ONE_IN} <> 0 then 'CANCELLED'
      when (n / ${OPEN_ONE_IN}) % 10 = 0 then 'NEW' when (n / ${OPEN_ONE_IN}) % 4 = 1 then 'DISPATCHED'
      else 'TRIAGED' end as becomes
  from generate_series($2::bigint, $3::bigint) n
  join (select row_number() over (order by id) - 1 as at, count(*) over () as all, id, account_id
          from dispatch.sites where tenant_id = $1) s on s.at = (n / ${OPEN_ONE_IN}) % s.all
  join (select row_number() over (order by id) - 1 as at, count(*) over () as all, id
          from dispatch.technicians where tenant_id = $1) w on w.at = (n / ${OPEN_ONE_IN}) % w.all`;

/** An event of the operator, shaped like every other, so that a timeline shows it. */
const eventsOf = (event: string, command: string, object: string, steps: string) => `
  insert into audit.events (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body)
  select m.tenant_id, ${event}, 'operator', '${command}', 'staff:' || m.staff_id, 'accepted', ${event}, m.id, convert_to(
    jsonb_build_object('v', 1, 'id', ${event}, 'time', dispatch.instant(m.reported_at), 'tenant_id', m.tenant_id,
      'command', '${command}', 'decision', 'accepted', 'code', null, 'dimension', null,
      'actor', jsonb_build_object('kind', 'staff', 'id', m.staff_id, 'assurance', 'L1', 'agent_role', null),
      'workload', jsonb_build_array('spiffe://bench.deadlatch/web'), 'correlation_id', ${event},
      'effects', jsonb_build_array(jsonb_build_object('object', '${object}', 'id', m.id, ${steps})),
      'details', jsonb_build_object('site_id', m.site_id, 'priority', m.priority),
      'policy_ids', jsonb_build_array('${command}.people', 'everyone.tenant'))::text, 'UTF8')
  from dispatch.many m`;

const effectsOf = (object: string, id: string, version: number, steps: string) => `
  insert into audit.effects (tenant_id, object, object_id, version, command, before_state, after_state, event_id)
  select m.tenant_id, '${object}', ${id}, ${version}, ${steps} from dispatch.many m`;

const MOVED = "m.becomes <> 'NEW'";
const SENT = "m.becomes = 'DISPATCHED'";

const STEPS: readonly string[] = [
  eventsOf('m.created_by', 'ticket.create', 'ticket', "'before_state', '-', 'after_state', 'NEW'"),
  effectsOf('ticket', 'm.id', 1, "'ticket.create', '-', 'NEW', m.created_by"),
  `insert into dispatch.tickets (tenant_id, id, version, state, reference, account_id, site_id, scope_capped, safety,
      priority, answers, missing, base_nte_cents, nte_cents, reported_at, created_at, updated_at)
   select m.tenant_id, m.id, 1, 'NEW', 'DL-' || upper(lpad(to_hex(m.n), 8, '0')), m.account_id, m.site_id, false, false,
      case when m.becomes = 'CANCELLED' then m.priority end, '{}', '{}', 0, 0,
      date_trunc('milliseconds', m.reported_at), m.reported_at, m.reported_at
   from dispatch.many m`,
  `${eventsOf(
    'm.moved_by',
    'ticket.triage',
    'ticket',
    "'before_state', 'NEW', 'after_state', 'TRIAGED'",
  )} where ${MOVED} and m.becomes <> 'CANCELLED'`,
  `${eventsOf(
    'm.moved_by',
    'ticket.cancel',
    'ticket',
    "'before_state', 'NEW', 'after_state', 'CANCELLED'",
  )} where m.becomes = 'CANCELLED'`,
  `${effectsOf(
    'ticket',
    'm.id',
    2,
    `case when m.becomes = 'CANCELLED' then 'ticket.cancel' else 'ticket.triage' end, 'NEW',
     case when m.becomes = 'CANCELLED' then 'CANCELLED' else 'TRIAGED' end, m.moved_by`,
  )} where ${MOVED}`,
  'analyze dispatch.tickets',
  `update dispatch.tickets t set version = 2, priority = m.priority, incident_type = 'DOOR_WONT_LATCH',
      incident_version = 2, state = case when m.becomes = 'CANCELLED' then 'CANCELLED' else 'TRIAGED' end
   from dispatch.many m where t.tenant_id = m.tenant_id and t.id = m.id and ${MOVED}`,
  `${eventsOf(
    'm.sent_by',
    'visit.dispatch_emergency',
    'ticket',
    "'before_state', 'TRIAGED', 'after_state', 'DISPATCHED'",
  )} where ${SENT}`,
  `${effectsOf('ticket', 'm.id', 3, "'visit.dispatch_emergency', 'TRIAGED', 'DISPATCHED', m.sent_by")} where ${SENT}`,
  `${effectsOf('visit', 'm.visit_id', 1, "'visit.dispatch_emergency', '-', 'OFFERED', m.sent_by")} where ${SENT}`,
  `update dispatch.tickets t set version = 3, state = 'DISPATCHED'
   from dispatch.many m where t.tenant_id = m.tenant_id and t.id = m.id and ${SENT}`,
  `insert into dispatch.visits (tenant_id, id, version, state, ticket_id, technician_id, emergency, starts_at, ends_at,
      offered_by)
   select m.tenant_id, m.visit_id, 1, 'OFFERED', m.id, m.technician_id, true, m.reported_at, m.reported_at + interval '2 hours',
      case when m.n % 100 = 5 then m.staff_id else 'somebody else' end
   from dispatch.many m where ${SENT}`,
];
