import type { ActRow, AssetRow, Changes, ContactRow } from '@deadlatch/decision';
import type { CommandPath, CommitDecisionInput } from '@deadlatch/postgres';
import { commitOf, effectOf, instantIn, newId, next } from './commits.ts';
import type { SeededTenant } from './seed.ts';

/**
 * One row in each table of who may do what that a seed leaves empty: an asset, an act with its link and a first yes,
 * and a contact who came on file with a code.
 */
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
  const together = await importCommits(path, t, ['night-manager']);
  await path.commitDecision(together.ask);
  await path.commitDecision(together.confirm);
}

/** Contacts of one act, as `contact.import` leaves them. */
export interface ImportCommits {
  readonly ask: CommitDecisionInput;
  readonly confirm: CommitDecisionInput;
  readonly contacts: readonly ContactRow[];
}

/** The question for contacts with these codes, and the yes to it; `change` spoils what the yes would write. */
export async function importCommits(
  path: CommandPath,
  t: SeededTenant,
  slugs: readonly string[],
  change: (changes: Changes) => Changes = (changes) => changes,
): Promise<ImportCommits> {
  const rows = slugs.map((slug) => ({ slug, may_request: true }));
  const act: ActRow = {
    tenant_id: t.tenantId,
    id: newId(),
    version: 1,
    state: 'PENDING',
    command: 'contact.import',
    target_id: null,
    input: { account_id: t.accountId, contacts: rows },
    action: '{}',
    action_digest: 'd'.repeat(43),
    asked_by: t.staff.adam,
    proof_assurance: 'L2',
    deciders: 1,
    asked_at: instantIn(),
    expires_at: instantIn(3_600_000),
    decided_at: null,
  };
  const done = next(act, { state: 'CONSUMED', decided_at: instantIn() });
  const changed_at = instantIn();
  const first = { tenant_id: t.tenantId, version: 1, state: 'ACTIVE', changed_at } as const;
  const contacts = slugs.map((): ContactRow => ({ ...first, id: newId(), person_id: newId() }));
  const changes = change({
    act: done,
    act_confirmation: { act_id: act.id, person_id: await personOf(path, t), staff_id: t.staff.adam },
    contacts,
    memberships: contacts.map((contact) => ({
      ...first,
      id: newId(),
      contact_id: contact.id,
      account_id: t.accountId,
      site_id: null,
      may_request: true,
      may_approve: false,
      approval_limit_cents: 0,
    })),
    contact_codes: contacts.map(({ id }, n) => ({
      contact_id: id,
      account_id: t.accountId,
      slug: slugs[n] ?? '',
      act_id: act.id,
    })),
  });
  const yes = commitOf(t, 'act.confirm', {
    changes,
    effects: [
      effectOf('act', act, done),
      ...(changes.contacts ?? []).map((contact) => effectOf('contact', null, contact)),
      ...(changes.memberships ?? []).map((membership) => effectOf('membership', null, membership)),
    ],
  });
  return {
    ask: commitOf(t, act.command, { changes: { act, act_links: [] }, effects: [effectOf('act', null, act)] }),
    confirm: { ...yes, event: { ...yes.event, actor: `staff:${t.staff.adam}` } },
    contacts,
  };
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
