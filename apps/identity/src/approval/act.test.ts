import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
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
  // Somebody else's number is kept as well, and said to be nobody's from now on.
  const twin = await stage();
  world.dispatchApi.decide = () =>
    answer({ result: { contact_id: randomUUID() }, adopt_grant: 'g' }) as never;
  world.vault.adopted = () => ({ fields: { phone: '+15125550177' }, before: {}, is_shared: true });
  const second = await askForCode(world, twin);
  const shared = await second.browser.decide(twin.secret, second.page, second.code);
  assert.match(shared.text, /on file for somebody else too/);
  assert.doesNotMatch(done.text, /on file for somebody else too/);
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

describe('contacts who come on file together', () => {
  const people = Array.from({ length: 12 }, (_, n) => ({ contact_id: randomUUID(), slug: `manager-${n}` }));
  const numberOf = (grant: string) => `+1512555${grant.slice(-4)}`;
  const committed = async () => {
    const { rows } = await world.admin.query<{ contact_id: string }>(
      'select contact_id from identity.address_commitments where contact_id = any($1)',
      [people.map(({ contact_id: id }) => id)],
    );
    return rows.length;
  };

  /** An act of all of them, whose yes puts them on file; and what dispatch-api gives for keeping their words. */
  async function stageImport(): Promise<StagedApproval> {
    const approvalId = randomUUID();
    const contacts = people.map(({ slug }, n) => ({
      slug,
      may_request: n % 2 === 0,
      name: { text_id: randomUUID(), commitment: 'c'.repeat(43) },
      ...(n === 0 && { site_id: approvalId }),
    }));
    const plain = JSON.parse(action(approvalId));
    const statement = canonicalJson({
      ...plain,
      command: 'contact.import',
      places: { [approvalId]: 'store-114' },
      input: { account_id: randomUUID(), contacts },
    });
    const act = await stage({ approvalId, action: statement });
    world.dispatchApi.decide = () => {
      act.state = 'CONSUMED';
      return answer({ result: { contacts: people.length, state: 'CONSUMED' } }) as never;
    };
    world.dispatchApi.distort = (given) => ({
      ...given,
      imported: act.state === 'CONSUMED' ? people : [],
    });
    world.dispatchApi.adoptions = () => ({
      act_id: act.approvalId,
      staff_id: act.contactId,
      correlation_id: randomUUID(),
      contacts: people.map((one, n) => ({ ...one, adopt_grant: `grant ${1_000 + n}` })),
    });
    world.vault.adopted = (grant) => ({ fields: { phone: numberOf(grant) }, before: {}, is_shared: false });
    world.vault.adoptions.length = 0;
    return act;
  }

  test('are shown as what is signed: how many, of which account, where, and the digest; the mail says how many', async () => {
    verifies('T3.4');
    const act = await stageImport();
    const { page } = await askForCode(world, act);
    const digest = actionDigest(act.action);
    const bytes = Buffer.byteLength(act.action);
    for (const word of [
      'Put 12 contacts on file',
      'acme-stores',
      `${bytes} bytes, SHA-256 ${digest}`,
      'manager-11',
      'store-114, may ask for work',
      'every site, may not ask for work',
    ])
      assert.ok(page.text.includes(word), word);
    assert.match(
      world.mail.mails.at(-1)?.text ?? '',
      /It confirms: Put 12 contacts on file\r\nAccount: acme-stores/,
    );
    // A row that cannot be shown cannot be confirmed.
    const broken = JSON.parse(act.action);
    for (const contacts of [
      [],
      [{ slug: 'm' }],
      [{ slug: 'm', may_request: true, site_id: randomUUID() }],
      'many',
    ]) {
      const statement = canonicalJson({ ...broken, input: { ...broken.input, contacts } });
      const bad = await stage({ action: statement });
      assert.notEqual((await openBrowser(world).open(bad.secret)).status, 200, JSON.stringify(contacts));
    }
  });

  test('are kept one by one; where it broke off, the same link says who is missing and goes on', async () => {
    verifies('R.1', 'T3.6', 'T3.7');
    const act = await stageImport();
    // The vault goes away after four, and one has words that are no number.
    let kept = 0;
    world.vault.adopted = (grant) => {
      if (grant === 'grant 1001') throw new DispatchError('schema_mismatch');
      if (kept >= 4) throw new DispatchError('unavailable');
      kept += 1;
      return { fields: { phone: numberOf(grant) }, before: {}, is_shared: grant === 'grant 1002' };
    };
    const { browser, page, code } = await askForCode(world, act);
    const done = await browser.decide(act.secret, page, code);
    assert.equal(done.status, 200);
    assert.match(done.text, /Your decision is recorded/);
    assert.match(done.text, /4 of 12 contacts have their number or address/);
    assert.match(done.text, /is recognised by these yet: manager-1, /);
    assert.match(done.text, /on file for somebody else too, so nobody is recognised by it: manager-2\./);
    assert.equal(await committed(), 4);
    // Looking changes nothing, as often as anybody looks, and from wherever.
    const asked = world.vault.adoptions.length;
    const other = openBrowser(world);
    for (let n = 0; n < 3; n += 1) assert.match((await other.open(act.secret)).text, /4 of 12 contacts/);
    assert.equal(world.vault.adoptions.length, asked);
    const foreign = await other.post(`/approve/${act.secret}/keep`, {}, { origin: 'http://evil.example' });
    assert.deepEqual([foreign.status, world.vault.adoptions.length], [401, asked]);
    // The vault is back.
    world.vault.adopted = (grant) => {
      if (grant === 'grant 1001') throw new DispatchError('schema_mismatch');
      return { fields: { phone: numberOf(grant) }, before: {}, is_shared: false };
    };
    const more = await other.post(`/approve/${act.secret}/keep`, {});
    assert.match(more.text, /11 of 12 contacts have their number or address/);
    assert.match(more.text, /is recognised by these yet: manager-1\./);
    assert.equal(await committed(), 11);
    assert.equal(world.vault.adoptions.length - asked, 8, 'whoever was kept is left alone');
    world.vault.adopted = (grant) => ({ fields: { phone: numberOf(grant) }, before: {}, is_shared: false });
    assert.match((await other.post(`/approve/${act.secret}/keep`, {})).text, /12 of 12 contacts/);
    const { rows } = await world.admin.query(
      `select count(*)::int as n from audit.events where origin = 'identity' and command = 'address.commit'
         and convert_from(body, 'UTF8')::json -> 'details' ->> 'act_id' = $1`,
      [act.approvalId],
    );
    assert.deepEqual(rows, [{ n: 12 }]);
  });

  test('are not kept before the yes, after a no, or by a link to something else', async () => {
    verifies('C.0', 'T3.4');
    await world.admin.query('delete from identity.address_commitments where contact_id = any($1)', [
      people.map(({ contact_id: id }) => id),
    ]);
    const act = await stageImport();
    const browser = openBrowser(world);
    assert.equal((await browser.post(`/approve/${act.secret}/keep`, {})).status, 409);
    world.dispatchApi.decide = () => {
      act.state = 'DENIED';
      return answer({ result: { state: 'DENIED' } }) as never;
    };
    const asked = await askForCode(world, act);
    await asked.browser.decide(act.secret, asked.page, asked.code, 'DENY');
    assert.equal((await browser.post(`/approve/${act.secret}/keep`, {})).status, 409);
    assert.deepEqual([world.vault.adoptions, await committed()], [[], 0]);
    // What dispatch-api does not say any more is not kept; what was committed stays so, and the page says it.
    const late = await stageImport();
    const { adoptions } = world.dispatchApi;
    world.dispatchApi.adoptions = () => {
      throw new DispatchError('unavailable');
    };
    const { browser: theirs, page, code } = await askForCode(world, late);
    const done = await theirs.decide(late.secret, page, code);
    assert.match(done.text, /Your decision is recorded/);
    assert.match(done.text, /could not be kept now\. Open this link again/);
    assert.equal(await committed(), 0);
    world.dispatchApi.adoptions = adoptions;
    assert.match((await theirs.open(late.secret)).text, /0 of 12 contacts/);
    assert.match((await theirs.post(`/approve/${late.secret}/keep`, {})).text, /12 of 12 contacts/);
    assert.equal(await committed(), 12);
  });
});
