import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { actionDigest, canonicalJson } from '@deadlatch/signing';
import { SMTPServer } from 'smtp-server';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { askForCode, stageApproval } from '../testing/approvals.ts';
import { openBrowser } from '../testing/browser.ts';
import type { StagedApproval } from '../testing/peers.ts';
import { startWorld, type World } from '../testing/world.ts';

/** A member of staff confirms an act: the same ceremony, other words. */
let world: World;
before(async () => {
  world = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer });
});
after(() => world?.close());

const NEW_ADDRESS = 'nina@stores.example';

function action(actId: string): string {
  return canonicalJson({
    act_id: actId,
    tenant_id: randomUUID(),
    command: 'contact.add',
    target: null,
    account: 'acme-stores',
    site: null,
    input: { account_id: randomUUID(), may_request: true },
    asked_by: randomUUID(),
    proof: { assurance: 'L2', deciders: 1 },
    policy_bundle: 'bundle-1',
    expires_at: '2099-01-01T00:00:00.000Z',
  });
}

async function stage(given: Partial<StagedApproval> = {}): Promise<StagedApproval> {
  const approvalId = randomUUID();
  return stageApproval(world, { approvalId, object: 'act', action: action(approvalId), ...given });
}

const answer = (more: object) => ({
  ticket: null,
  event_id: randomUUID(),
  correlation_id: randomUUID(),
  replayed: false,
  ...more,
});

test('an act is shown in words, confirmed with a code of the member of staff, and sent as act.confirm', async () => {
  verifies('T3.2', 'T3.4', 'T3.11');
  const act = await stage();
  world.dispatchApi.decide = () => answer({ result: { act_id: act.approvalId, state: 'CONSUMED' } }) as never;
  const { browser, page, code } = await askForCode(world, act);
  assert.match(page.text, /Put a contact on file/);
  assert.match(world.mail.mails.at(-1)?.text ?? '', /It confirms: Put a contact on file/);
  assert.equal((await browser.decide(act.secret, page, code)).status, 200);
  const sent = world.dispatchApi.decisions.at(-1);
  const digest = actionDigest(act.action);
  assert.deepEqual(sent?.body, { decision: 'CONFIRM', action_digest: digest });
  assert.deepEqual(
    [sent?.claims.sub, sent?.claims.scope, sent?.claims.tctx.action_digest, sent?.claims.tctx.ticket_id],
    [`staff:${act.contactId}`, 'step-up', digest, undefined],
  );
  assert.deepEqual(world.vault.adoptions, []);
  const no = await stage();
  const second = await askForCode(world, no);
  await second.browser.decide(no.secret, second.page, second.code, 'DENY');
  const declined = { decision: 'DECLINE', action_digest: actionDigest(no.action) };
  assert.deepEqual(world.dispatchApi.decisions.at(-1)?.body, declined);
});

test('what answer and grant say of the kind must agree: an approval is no act, and an act no approval', async () => {
  verifies('T3.4', 'T4.8');
  const act = await stage();
  for (const object of ['approval', 'ticket', undefined]) {
    world.dispatchApi.distort = (given) => ({ ...given, object: object as never });
    const page = await openBrowser(world).open(act.secret);
    assert.notEqual(page.status, 200, String(object));
    assert.doesNotMatch(page.text, /Put a contact on file/);
  }
  world.dispatchApi.distort = (given) => given;
});

test('a new address is committed to when the change is confirmed, and the old one is told', async () => {
  verifies('T3.6', 'T3.7');
  const contactId = randomUUID();
  const act = await stage();
  world.dispatchApi.decide = () =>
    answer({ result: { contact_id: contactId }, adopt_grant: 'the-grant' }) as never;
  world.vault.adopted = () => ({
    fields: { email: NEW_ADDRESS, phone: '+15125550177' },
    before: { email: 'old@stores.example' },
  });
  const { browser, page, code } = await askForCode(world, act);
  const done = await browser.decide(act.secret, page, code);
  assert.match(done.text, /Your decision is recorded/);
  assert.doesNotMatch(done.text, /could not be kept/);
  assert.deepEqual(world.vault.adoptions, ['the-grant']);
  const { rows } = await world.admin.query(
    'select kind from identity.address_commitments where contact_id = $1 order by kind',
    [contactId],
  );
  assert.deepEqual(rows, [{ kind: 'email' }, { kind: 'phone' }]);
  const notice = world.mail.mails.at(-1);
  assert.deepEqual(notice?.to, ['old@stores.example']);
  assert.ok(!notice?.text.includes(NEW_ADDRESS));
  // From now on a code for this contact goes to that address and to no other.
  const approval = world.dispatchApi.stage({ contactId });
  world.vault.emails.set(contactId, 'thief@stores.example');
  assert.notEqual((await browser.sendCode(approval.secret)).status, 200);
  world.vault.emails.set(contactId, NEW_ADDRESS);
  const again = world.dispatchApi.stage({ contactId });
  assert.equal((await browser.sendCode(again.secret)).status, 200);
  assert.deepEqual(world.mail.mails.at(-1)?.to, [NEW_ADDRESS]);
});

test('what was committed and could not be kept is said, and the contact gets no code', async () => {
  verifies('C.0', 'T3.7');
  const contactId = randomUUID();
  const act = await stage();
  world.dispatchApi.decide = () => answer({ result: { contact_id: contactId }, adopt_grant: 'g' }) as never;
  world.vault.adopted = () => {
    throw new DispatchError('schema_mismatch');
  };
  const { browser, page, code } = await askForCode(world, act);
  const done = await browser.decide(act.secret, page, code);
  assert.match(done.text, /Your decision is recorded/);
  assert.match(done.text, /could not be kept/);
  const approval = world.dispatchApi.stage({ contactId });
  world.vault.emails.set(contactId, NEW_ADDRESS);
  assert.notEqual((await browser.sendCode(approval.secret)).status, 200);
});
