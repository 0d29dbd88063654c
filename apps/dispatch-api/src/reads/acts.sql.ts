import type { ActRow } from '@deadlatch/decision';
import { sql, type Tx } from '@deadlatch/postgres';

export interface ActNow {
  readonly act: ActRow;
  /** The member of staff whose link it is. */
  readonly staff_id: string;
  /** Under which it was asked. */
  readonly correlation_id: string;
  readonly is_open: boolean;
}

/** The act that a live link of a member of staff leads to, while that person is one of the staff. */
export async function findLinkedAct(tx: Tx, tenantId: string, hash: string): Promise<ActNow | null> {
  return tx.one<ActNow>(sql`select dispatch.act_json(a) as act, l.staff_id, ev.correlation_id,
       a.state = 'PENDING' and a.expires_at > now() as is_open
     from dispatch.act_links l
     join dispatch.acts a on a.tenant_id = l.tenant_id and a.id = l.act_id
     join dispatch.staff s on s.tenant_id = l.tenant_id and s.id = l.staff_id and s.active
     join audit.effects e on e.tenant_id = a.tenant_id and e.object_id = a.id and e.version = 1
     join audit.events ev on ev.tenant_id = e.tenant_id and ev.id = e.event_id
     where l.tenant_id = ${tenantId} and l.hash = ${hash} and l.expires_at > now()`);
}

/** Somebody whom an act put on file together with others. */
export interface ImportedContact {
  readonly contact_id: string;
  readonly slug: string;
  /** Whether nothing of the contact was changed since. */
  readonly is_as_imported: boolean;
}

/** Everybody whom this act put on file in a batch, by their codes. */
export async function listImported(
  tx: Tx,
  tenantId: string,
  actId: string,
): Promise<readonly ImportedContact[]> {
  return tx.query<ImportedContact>(sql`select k.contact_id, k.slug,
       c.version = 1 and c.state = 'ACTIVE' as is_as_imported
     from dispatch.contact_codes k
     join dispatch.contacts c on c.tenant_id = k.tenant_id and c.id = k.contact_id
     where k.tenant_id = ${tenantId} and k.act_id = ${actId}
     order by k.slug`);
}

export interface WaitingAct {
  readonly act: ActRow;
  /** How many persons have said yes. */
  readonly confirmed: number;
}

/** Acts that this member of staff was asked to confirm and has not, newest first; at most 100. */
export async function listWaitingActs(
  tx: Tx,
  tenantId: string,
  staffId: string,
): Promise<readonly WaitingAct[]> {
  return tx.query<WaitingAct>(sql`select dispatch.act_json(a) as act,
       (select count(*)::int from dispatch.act_confirmations c
         where c.tenant_id = a.tenant_id and c.act_id = a.id) as confirmed
     from dispatch.acts a
     join dispatch.act_links l on l.tenant_id = a.tenant_id and l.act_id = a.id and l.staff_id = ${staffId}
     join dispatch.staff s on s.tenant_id = a.tenant_id and s.id = ${staffId}
     where a.tenant_id = ${tenantId} and a.state = 'PENDING' and a.expires_at > now()
       and not exists (select 1 from dispatch.act_confirmations c
         where c.tenant_id = a.tenant_id and c.act_id = a.id and c.person_id = s.person_id)
     order by a.asked_at desc, a.id desc limit 100`);
}
