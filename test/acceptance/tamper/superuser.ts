import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '@deadlatch/audit-log';
import { canonicalJson } from '@deadlatch/signing';
import type pg from 'pg';
import type { AuditProblem } from '../../../apps/cli/src/audit/verify-audit.ts';

/** What is attacked, and where it stands. */
export interface Target {
  readonly tenantId: string;
  readonly ticketId: string;
  /** Index of an event in the middle, and of one some way behind it. */
  readonly at: number;
  readonly later: number;
  readonly eventAt: (index: number) => AuditEvent;
  readonly size: number;
}

export interface Attack {
  readonly name: string;
  readonly deed: (client: pg.Client, target: Target) => Promise<unknown>;
  /** Whether this finding names it: by index, event or row, and by what was done. */
  readonly isNamed: (problem: AuditProblem, target: Target) => boolean;
}

const bodyOf = (event: AuditEvent) => Buffer.from(canonicalJson(event));
const setBody = (client: pg.Client, event: AuditEvent, body: Uint8Array) =>
  client.query('update audit.events set body = $2 where id = $1', [event.id, body]);
const at = (index: number, reason: RegExp) => (problem: AuditProblem) =>
  problem.index === index && reason.test(problem.reason);
const because =
  (reason: RegExp): Attack['isNamed'] =>
  ({ reason: found }) =>
    reason.test(found);

const PLANTED = '0195a000-0000-7000-8000-00000000dead';

/** Everything that somebody can do who is PostgreSQL's superuser and holds no key. */
export const SUPERUSER_ATTACKS: readonly Attack[] = [
  {
    name: 'an altered event',
    deed: (client, { at: i, eventAt }) =>
      setBody(client, eventAt(i), bodyOf({ ...eventAt(i), policy_ids: ['permit.everything'] })),
    isNamed: (problem, { at: i }) => at(i, /not the one that was logged/)(problem),
  },
  {
    name: 'an event whose columns lead past it',
    deed: (client, { at: i, eventAt }) =>
      client.query('update audit.events set correlation_id = $2 where id = $1', [
        eventAt(i).id,
        randomUUID(),
      ]),
    isNamed: (problem, { at: i }) => at(i, /columns do not say/)(problem),
  },
  {
    name: 'a deleted event',
    deed: (client, { at: i, eventAt }) =>
      client.query('delete from audit.events where id = $1', [eventAt(i).id]),
    isNamed: (problem, { at: i }) => at(i, /not in the database any more/)(problem),
  },
  {
    name: 'an inserted event, kept away from the sequencer',
    deed: (client, { at: i, eventAt }) => {
      // Older than anything may wait, however young this installation is.
      const longAgo = new Date(Date.parse(eventAt(i).time) - 3_600_000).toISOString();
      const event = { ...eventAt(i), id: PLANTED, time: longAgo };
      return client.query(
        `insert into audit.events (tenant_id, id, at, origin, command, actor, decision, correlation_id, body)
         values ($1, $2, $3, $4, $5, 'x', $6, $7, $8)`,
        [
          event.tenant,
          event.id,
          event.time,
          event.origin,
          event.command,
          event.decision,
          event.correlation_id,
          bodyOf(event),
        ],
      );
    },
    isNamed: (problem) => problem.event_id === PLANTED && /is not in the log after/.test(problem.reason),
  },
  {
    name: 'reordered events',
    deed: async (client, { at: i, later, eventAt }) => {
      await setBody(client, eventAt(i), bodyOf(eventAt(later)));
      await setBody(client, eventAt(later), bodyOf(eventAt(i)));
    },
    isNamed: (problem, { at: i, later }) =>
      [i, later].some((n) => at(n, /not the one that was logged/)(problem)),
  },
  {
    name: 'indexes that were exchanged',
    deed: async (client, { at: i, later, eventAt }) => {
      await client.query('delete from audit.log_entries where index = any($1)', [[i, later]]);
      for (const [index, event] of [
        [i, eventAt(later)],
        [later, eventAt(i)],
      ] as const) {
        await client.query(
          `insert into audit.log_entries (index, tenant_id, event_id, leaf_hash)
           values ($1, $2, $3, sha256(convert_to($4, 'UTF8')))`,
          [index, event.tenant, event.id, event.id],
        );
      }
    },
    isNamed: (problem, { at: i, later }) => at(i, new RegExp(`has it at ${later}$`))(problem),
  },
  {
    name: 'a back-dated event',
    deed: (client, { later, eventAt }) => {
      const event = eventAt(later);
      return setBody(client, event, bodyOf({ ...event, time: '2020-01-01T00:00:00.000Z' }));
    },
    isNamed: (problem, { later }) => at(later, /not the one that was logged|columns/)(problem),
  },
  {
    name: 'a back-dated row',
    deed: (client, { later, eventAt }) =>
      client.query("update audit.events set at = at - interval '1 day' where id = $1", [eventAt(later).id]),
    isNamed: (problem, { later }) => at(later, /columns do not say/)(problem),
  },
  {
    name: 'TRUNCATE',
    deed: (client) => client.query('truncate audit.events cascade'),
    isNamed: (problem, { size }) =>
      problem.index === 0 &&
      problem.through === size - 1 &&
      /not in the database any more/.test(problem.reason),
  },
  {
    name: 'a trail that was cut off',
    deed: (client, { size, eventAt }) =>
      client.query('delete from audit.events where id = any($1)', [
        [size - 3, size - 2, size - 1].map((i) => eventAt(i).id),
      ]),
    isNamed: (problem, { size }) =>
      problem.index === size - 3 &&
      problem.through === size - 1 &&
      /not in the database/.test(problem.reason),
  },
  {
    name: 'a planted approver',
    deed: async (client, { tenantId, eventAt }) => {
      await client.query(
        'insert into dispatch.contacts (tenant_id, id, person_id, event_id) values ($1, $2, $2, $3)',
        [tenantId, PLANTED, eventAt(0).id],
      );
      await client.query(
        `insert into dispatch.contact_memberships
           (tenant_id, id, contact_id, account_id, may_request, may_approve, approval_limit_cents, event_id)
         select tenant_id, $2, $2, id, true, true, 99999900, $3 from dispatch.accounts where tenant_id = $1`,
        [tenantId, PLANTED, eventAt(0).id],
      );
    },
    isNamed: because(new RegExp(`contact_memberships:${PLANTED} was put there by no event`)),
  },
  {
    name: 'an approver whose limit was raised',
    deed: (client) =>
      client.query(
        'update dispatch.contact_memberships set approval_limit_cents = 99999900 where may_approve',
      ),
    isNamed: because(/contact_memberships:\S+ is not as the last event about it states/),
  },
  {
    name: 'an account whose limits were raised',
    deed: (client) =>
      client.query(
        `update dispatch.accounts set contract = jsonb_set(contract, '{nte_cents,ROUTINE}', '99999900')`,
      ),
    isNamed: because(/accounts:\S+ is not as the last event/),
  },
  {
    name: 'a role that somebody gave themselves',
    deed: (client, { eventAt }) =>
      client.query(
        `insert into dispatch.staff_roles (tenant_id, staff_id, role, event_id)
         select tenant_id, staff_id, 'finance', $1 from dispatch.staff_roles where role = 'dispatcher'`,
        [eventAt(0).id],
      ),
    isNamed: because(/staff_roles:\S+\/finance was put there by no event/),
  },
  {
    name: 'a role that was taken away',
    deed: (client) => client.query("delete from dispatch.staff_roles where role = 'auditor'"),
    isNamed: because(/staff_roles:\S+\/auditor is gone, and no event took it away/),
  },
  {
    name: 'a yes that somebody said for another',
    deed: (client, { tenantId, eventAt }) =>
      client.query(
        `insert into dispatch.act_confirmations (tenant_id, act_id, person_id, staff_id, event_id)
         select $1, $2, person_id, id, $3 from dispatch.staff limit 1`,
        [tenantId, PLANTED, eventAt(0).id],
      ),
    isNamed: because(new RegExp(`act_confirmations:${PLANTED}/\\S+ was put there by no event`)),
  },
  {
    name: 'a version that was brought into force behind everybody',
    deed: (client, { eventAt }) =>
      client.query(
        `insert into dispatch.publications (tenant_id, kind, name, number, version, effective_from, event_id)
         select tenant_id, kind, name, 2, 1, now(), $1 from dispatch.publications where name = 'DOOR_CANNOT_SECURE'`,
        [eventAt(0).id],
      ),
    isNamed: because(/publications:\S+\/DOOR_CANNOT_SECURE\/2 was put there by no event/),
  },
  {
    name: 'a publication that was changed',
    deed: (client) => client.query("update dispatch.publications set version = 1 where name = 'M17'"),
    isNamed: because(/publications:\S+\/template\/M17\/1 is not as the last event about it states/),
  },
  {
    name: 'a technician who was given another territory',
    deed: (client) => client.query("update dispatch.technicians set territories = '{everywhere}'"),
    isNamed: because(/technicians:\S+ is not as the last event about it states/),
  },
  {
    name: 'a contact who was made another version behind everybody',
    deed: (client) => client.query('update dispatch.contacts set version = version + 1'),
    isNamed: because(/contact \S+ is at version \d+ in ACTIVE, which no event explains/),
  },
  {
    name: 'a service key of a stranger',
    deed: (client) =>
      client.query(
        `insert into trust.service_keys (keyid, service, environment, x, not_before, not_after, event_tenant_id, event_id)
         select repeat('A', 43), service, environment, x, not_before, not_after, event_tenant_id, event_id
           from trust.service_keys where service = 'web'`,
      ),
    isNamed: because(/service_keys:A{43} was put there by no event/),
  },
  {
    name: 'a pause that was lifted behind everybody',
    deed: (client) => client.query('delete from dispatch.pauses'),
    isNamed: because(/pauses:tenant\/\S+ is gone, and no event took it away/),
  },
  {
    name: 'a higher autonomy level',
    deed: (client) => client.query('update dispatch.autonomy_settings set level = 3'),
    isNamed: because(/autonomy_settings:\S+ is not as the last event/),
  },
  {
    name: 'a ticket that was closed without a command',
    deed: (client, { ticketId }) =>
      client.query("update dispatch.tickets set state = 'CANCELLED', version = version + 1 where id = $1", [
        ticketId,
      ]),
    isNamed: (problem, { ticketId }) =>
      problem.reason.startsWith(`ticket ${ticketId} is at version`) &&
      /no event explains/.test(problem.reason),
  },
  {
    name: 'a ticket that was removed',
    deed: (client, { ticketId }) => client.query('delete from dispatch.tickets where id = $1', [ticketId]),
    isNamed: (problem, { ticketId }) => problem.reason.startsWith(`ticket ${ticketId} is gone`),
  },
];
