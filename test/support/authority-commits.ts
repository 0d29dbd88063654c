import type { ActRow, AssetRow } from '@deadlatch/decision';
import type { CommandPath } from '@deadlatch/postgres';
import { commitOf, effectOf, instantIn, newId, next } from './commits.ts';
import type { SeededTenant } from './seed.ts';

/** One row in each table of who may do what that a seed leaves empty: an asset, an act with its link, and a first yes. */
export async function playAuthority(path: CommandPath, t: SeededTenant): Promise<void> {
  const asset: AssetRow = {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'ACTIVE',
    account_id: t.accountId,
    site_id: t.siteId,
    kind: 'DOOR',
    slug: 'front-door',
    model: null,
    serial: null,
  };
  await path.commitDecision(
    commitOf(t, 'asset.create', { changes: { asset }, effects: [effectOf('asset', null, asset)] }),
  );
  const act: ActRow = {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'PENDING',
    command: 'contact.set_limit',
    target_id: t.contacts.stranger,
    input: { account_id: t.otherAccountId, approval_limit_cents: 5_000 },
    action: '{}',
    action_digest: 'd'.repeat(43),
    asked_by: t.staff.adam,
    proof_assurance: 'L2',
    deciders: 2,
    asked_at: instantIn(),
    expires_at: instantIn(3_600_000),
    decided_at: null,
  };
  const link = { hash: newId(), act_id: act.id, staff_id: t.staff.adam, expires_at: act.expires_at };
  await path.commitDecision(
    commitOf(t, act.command, { changes: { act, act_links: [link] }, effects: [effectOf('act', null, act)] }),
  );
  const asked = next(act, {});
  const yes = commitOf(t, 'act.confirm', {
    changes: {
      act: asked,
      act_confirmation: { act_id: act.id, person_id: await personOf(path, t), staff_id: t.staff.adam },
    },
    effects: [effectOf('act', act, asked)],
  });
  await path.commitDecision({ ...yes, event: { ...yes.event, actor: `staff:${t.staff.adam}` } });
}

/** The human being behind the admin, as the database has them. */
async function personOf(path: CommandPath, t: SeededTenant): Promise<string> {
  const { subject } = await path.readFacts({
    tenant_id: t.tenantId,
    command: 'contact.set_limit',
    target: 'contact',
    target_id: t.contacts.stranger,
    needs: [],
    subject: { kind: 'staff', id: t.staff.adam },
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: {},
  });
  if (subject === null) throw new Error('the seed has an admin');
  return subject.person_id;
}
