import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { JsonValue } from '@deadlatch/kernel';
import {
  actionDigest,
  canonicalJson,
  generateSigningKeyPem,
  loadSigningKey,
  signGrant,
} from '@deadlatch/signing';
import { SMTPServer } from 'smtp-server';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { askForCode, keptOf, stageApproval } from '../testing/approvals.ts';
import { openBrowser, otherCode } from '../testing/browser.ts';
import { ACTION, grantBase, type StagedApproval } from '../testing/peers.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World;
before(async () => {
  world = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer });
});
after(() => world?.close());

const stage = (given?: Partial<StagedApproval>) => stageApproval(world, given);
const withCode = (approval: StagedApproval) => askForCode(world, approval);
const kept = () => keptOf(world);

describe('the approval page', () => {
  it('shows what was signed, loads nothing, and changes nothing however often it is fetched', async () => {
    verifies('T3.12', 'T3.4');
    const approval = await stage();
    const before = await kept();
    const browser = openBrowser(world);
    const page = await browser.open(approval.secret);
    await Promise.all([browser.open(approval.secret), browser.open(approval.secret)]);
    assert.equal(page.status, 200);
    for (const shown of ['$200.00', '$950.00', 'L-9080', 'DL-TEST2345', 'bundle-1']) {
      assert.ok(page.text.includes(shown), shown);
    }
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.ok(!policy.includes('unsafe'));
    assert.ok(!/<script|<link|src=/.test(page.text));
    assert.equal(page.headers.get('referrer-policy'), 'same-origin');
    assert.equal(page.headers.get('cache-control'), 'no-store');
    assert.deepEqual(page.headers.getSetCookie(), []);
    assert.deepEqual(await kept(), before);
    assert.equal(world.dispatchApi.decisions.length, 0);
  });

  it('says nothing about a link that is not one', async () => {
    verifies('T3.12');
    const unknown = await openBrowser(world).open('A'.repeat(43));
    const odd = await openBrowser(world).open('short');
    assert.equal(unknown.status, 404);
    assert.equal(odd.status, 404);
    assert.equal(unknown.text, odd.text);
  });

  it('shows the state of what is over, and a passkey notice where a code is not enough', async () => {
    verifies('T3.2');
    for (const [state, words] of [
      ['CONSUMED', 'approved'],
      ['DENIED', 'declined'],
      ['EXPIRED', 'expired'],
    ] as const) {
      const approval = await stage({ state });
      const page = await openBrowser(world).open(approval.secret);
      assert.ok(page.text.includes(words));
      assert.ok(!page.text.includes('<form'));
      const before = await kept();
      assert.ok(!(await openBrowser(world).sendCode(approval.secret)).text.includes('<form'));
      assert.deepEqual(await kept(), before);
    }
    const strong = await stage({ required: 'L3' });
    const page = await openBrowser(world).open(strong.secret);
    assert.match(page.text, /passkey is needed/);
    assert.ok(!page.text.includes('<form'));
    const before = await kept();
    const refused = await openBrowser(world).sendCode(strong.secret);
    assert.equal(refused.status, 403);
    assert.deepEqual(await kept(), before);
    const lapsed = await stage({
      action: canonicalJson({ ...ACTION, expires_at: '2020-01-01T00:00:00.000Z' }),
    });
    assert.match((await openBrowser(world).open(lapsed.secret)).text, /expired/);
  });

  it('renders nothing that is not signed: forged amounts, digests, grants and states', async () => {
    verifies('T3.4', 'T4.8');
    const forged = canonicalJson({ ...ACTION, amount_cents: 1 });
    const digest = actionDigest(forged);
    const foreignKey = loadSigningKey(generateSigningKeyPem());
    const resign = (approval: StagedApproval, key = foreignKey) =>
      signGrant(
        'action',
        {
          ...grantBase('identity', world.tenant.tenantId),
          approval: approval.approvalId,
          action: JSON.parse(forged) as { [key: string]: JsonValue },
          action_digest: digest,
        },
        key,
      );
    type Distort = World['dispatchApi']['distort'];
    const distortions: Record<string, Distort> = {
      'another statement': (answer) => ({ ...answer, action: forged }),
      'another digest': (answer) => ({ ...answer, action_digest: digest }),
      'statement and digest': (answer) => ({ ...answer, action: forged, action_digest: digest }),
      'all of it under a foreign key': (answer, approval) => ({
        ...answer,
        action: forged,
        action_digest: digest,
        action_jws: resign(approval),
      }),
      'a signed statement, the grant of another': (answer, approval) => ({
        ...answer,
        action: forged,
        action_digest: digest,
        action_jws: resign(approval, world.grantKey),
      }),
      'another approver': (answer) => ({ ...answer, contact_id: randomUUID() }),
      'another approval': (answer) => ({ ...answer, approval_id: randomUUID() }),
      'a lower proof': (answer) => ({ ...answer, required: 'L1' }),
      'the grant as the statement': (answer) => ({ ...answer, action_jws: answer.step_up_grant ?? null }),
      'an unknown state': (answer) => ({ ...answer, state: 'OPEN' }),
      'no grant': ({ step_up_grant: _, ...answer }) => answer,
    };
    try {
      for (const [what, distort] of Object.entries(distortions)) {
        const approval = await stage();
        world.dispatchApi.distort = distort;
        const before = await kept();
        const page = await openBrowser(world).open(approval.secret);
        assert.equal(page.status, 403, what);
        assert.ok(!page.text.includes('$'), what);
        assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 403, what);
        assert.deepEqual(await kept(), before, what);
      }
    } finally {
      world.dispatchApi.distort = (answer) => answer;
    }
  });
});

describe('sending a code', () => {
  it('locks the approval when the vault answers with an address that is not on file', async () => {
    verifies('T3.7', 'T4.8');
    const approval = await stage();
    world.vault.emails.set(approval.contactId, 'mallory@evil.example');
    const mails = world.mail.mails.length;
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 403);
    assert.equal(world.mail.mails.length, mails);
    assert.match((await openBrowser(world).open(approval.secret)).text, /locked/);
    world.vault.emails.set(approval.contactId, 'alan@stores.example');
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 403);
  });

  it('refuses without an address on file, before anything is revealed', async () => {
    const approval = world.dispatchApi.stage({});
    world.vault.emails.set(approval.contactId, 'new@stores.example');
    const reveals = world.vault.reveals.length;
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 422);
    assert.equal(world.vault.reveals.length, reveals);
  });

  it('is limited per approval', async () => {
    verifies('T3.7');
    const approval = await stage();
    for (let sent = 0; sent < 3; sent += 1) await withCode(approval);
    const reveals = world.vault.reveals.length;
    const page = await openBrowser(world).sendCode(approval.secret);
    assert.equal(page.status, 429);
    assert.equal(world.vault.reveals.length, reveals);
  });

  it('answers 503 when the mail server, the vault or the database says no', async () => {
    verifies('C.6');
    const approval = await stage();
    world.mail.accepts = false;
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 503);
    world.mail.accepts = true;
    const { browser, page, code } = await withCode(approval);
    await world.admin.query(
      'revoke insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body) on audit.events from deadlatch_identity',
    );
    const count = world.dispatchApi.decisions.length;
    const mails = world.mail.mails.length;
    try {
      assert.equal((await browser.decide(approval.secret, page, code)).status, 503);
      assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 503);
    } finally {
      await world.admin.query(
        'grant insert (tenant_id, id, origin, command, actor, decision, correlation_id, ticket_id, body) on audit.events to deadlatch_identity',
      );
    }
    assert.equal(world.dispatchApi.decisions.length, count);
    assert.equal(world.mail.mails.length, mails);
    assert.equal((await browser.decide(approval.secret, page, code)).status, 200, 'the code was not used up');
  });

  it('leaves an event for each code and each try, and no code or address anywhere', async () => {
    verifies('F.1', 'F.6', 'T5.1', 'T3.7');
    const approval = await stage();
    const before = (await world.events()).length;
    const { browser, page, code } = await withCode(approval);
    await browser.decide(approval.secret, page, otherCode(code));
    await browser.decide(approval.secret, page, code);
    const events = (await world.events()).slice(before);
    assert.deepEqual(
      events.map((event) => [event.command, event.decision, event.actor]),
      [
        ['code.send', 'accepted', `contact:${approval.contactId}`],
        ['code.try', 'refused', `contact:${approval.contactId}`],
        ['code.try', 'accepted', `contact:${approval.contactId}`],
      ],
    );
    const { rows } = await world.admin.query('select * from identity.step_ups');
    const sinks = [JSON.stringify(rows), world.log.join('\n'), ...(await world.events()).map((e) => e.body)];
    for (const sink of sinks) {
      for (const secret of [code, 'alan@stores.example', approval.secret]) assert.ok(!sink.includes(secret));
    }
  });
});
