import {
  assuranceRank,
  CEILINGS,
  findRead,
  type ReadEntry,
  ROLES_OF_KIND,
  type SubjectRole,
} from '@deadlatch/catalogue';
import type { Caller } from '@deadlatch/decision';
import { refuse } from '@deadlatch/kernel';
import { sql, type Tx } from '@deadlatch/postgres';

/** Who reads, as the database knows them now, and which rows that opens. */
export interface Reader {
  readonly caller: Caller;
  readonly roles: ReadonlySet<SubjectRole>;
  /** The widest view one of the roles gives. */
  readonly sees: Sees;
}

export type Sees =
  /** staff: the tenant */
  | { readonly kind: 'tenant' }
  /** technician: tickets on which they have or had a visit */
  | { readonly kind: 'technician'; readonly id: string }
  /** contact: what they opened, or what their accounts have when they approve */
  | { readonly kind: 'contact'; readonly id: string; readonly approves: boolean }
  /** agent: one conversation and its ticket */
  | { readonly kind: 'turn'; readonly conversationId: string; readonly ticketId: string | null };

const STAFF_ROLES = ROLES_OF_KIND.staff;

/**
 * Passes a read through the gate: ceiling of the service, role of the subject, and what it may see.
 * @throws DispatchError `unknown_command`, `above_ceiling`, `not_granted`, `turn_ended`
 * @source A.3a, A.3b, T1.2
 */
export async function requireReader(tx: Tx, name: string, caller: Caller): Promise<Reader> {
  const entry = findRead(name) ?? refuse('unknown_command');
  requireReadCeiling(name, caller);
  if (caller.agent !== null) return agentReader(tx, entry, caller, caller.agent);
  if (caller.scope !== 'person' || caller.subject.id === null)
    return refuse('not_granted', { detail: 'scope' });
  const held = await heldRoles(tx, caller);
  const roles = new Set(
    ROLES_OF_KIND[caller.subject.kind].filter(
      (role) => held.includes(role) && entry.roles.some((r) => r === role),
    ),
  );
  if (roles.size === 0) return refuse('not_granted', { detail: 'role' });
  return { caller, roles, sees: viewOf(caller, roles) };
}

/** The read is one that this service may send, for this kind of subject, at this assurance. */
export function requireReadCeiling(name: string, caller: Caller): void {
  const ceiling = CEILINGS[caller.service];
  if (!ceiling.reads.includes(name)) refuse('above_ceiling', { detail: 'read' });
  if (caller.scope === 'service') return;
  // As for commands: a turn's token never travels through the console, nor a person's through the bridge.
  if (caller.scope !== (ceiling.commands === 'agent-pairs' ? 'turn' : 'person')) {
    refuse('above_ceiling', { detail: 'scope' });
  }
  if (!ceiling.subjects.includes(caller.subject.kind)) refuse('above_ceiling', { detail: 'subject kind' });
  if (assuranceRank(caller.assurance) > assuranceRank(ceiling.upTo)) {
    refuse('above_ceiling', { detail: 'assurance' });
  }
}

function viewOf(caller: Caller, roles: ReadonlySet<SubjectRole>): Sees {
  const id = caller.subject.id ?? refuse('not_granted');
  if ([...roles].some((role) => STAFF_ROLES.includes(role))) return { kind: 'tenant' };
  if (roles.has('technician')) return { kind: 'technician', id };
  return { kind: 'contact', id, approves: roles.has('approver') };
}

async function heldRoles(tx: Tx, caller: Caller): Promise<readonly string[]> {
  const { kind, id } = caller.subject;
  const tenant = caller.tenantId;
  const row = await tx.one<{ roles: string[] }>(sql`
    select case ${kind}::text
      when 'staff' then array(
        select r.role from dispatch.staff_roles r
        join dispatch.staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id and s.active
        where r.tenant_id = ${tenant} and r.staff_id = ${id})
      when 'technician' then array(
        select 'technician'::text from dispatch.technicians
        where tenant_id = ${tenant} and id = ${id} and active)
      when 'contact' then array(
        select x.role from dispatch.contact_memberships m
        join dispatch.contacts c on c.tenant_id = m.tenant_id and c.id = m.contact_id and c.active
        cross join lateral (values ('requester', m.may_request), ('approver', m.may_approve)) as x (role, held)
        where m.tenant_id = ${tenant} and m.contact_id = ${id} and x.held)
      else array[]::text[] end as roles`);
  return row?.roles ?? [];
}

/** An agent sees its own turn's conversation and ticket, while the turn lives. */
async function agentReader(
  tx: Tx,
  entry: ReadEntry,
  caller: Caller,
  agent: NonNullable<Caller['agent']>,
): Promise<Reader> {
  if (!entry.roles.includes('agent') || caller.scope !== 'turn')
    return refuse('not_granted', { detail: 'agent' });
  const { kind, id } = caller.subject;
  const turn = await tx.one<{ conversation_id: string; ticket_id: string | null }>(sql`
    select conversation_id, ticket_id from dispatch.turns
    where tenant_id = ${caller.tenantId} and id = ${agent.turnId} and agent_role = ${agent.role}
      and subject_kind = ${kind} and subject_id = ${id} and ended_at is null and expires_at > now()`);
  if (!turn) return refuse('turn_ended');
  return {
    caller,
    roles: new Set<SubjectRole>(),
    sees: { kind: 'turn', conversationId: turn.conversation_id, ticketId: turn.ticket_id },
  };
}
