import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import {
  actionDigest,
  canonicalJson,
  generateSigningKeyPem,
  loadSigningKey,
  signGrant,
} from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { type Browser, csrfOf, newestCode, openBrowser, otherCode, type Page } from '../testing/browser.ts';
import { ACTION, grantBase, type StagedApproval } from '../testing/peers.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world?.close());

/** An approval for somebody with an address on file. */
async function stage(given: Partial<StagedApproval> = {}): Promise<StagedApproval> {
  const approval = world.dispatchApi.stage(given);
  await world.enrol(approval.contactId, 'alan@stores.example');
  return approval;
}

/** A browser that has asked for a code and sees the form for it. */
async function withCode(approval: StagedApproval): Promise<{ browser: Browser; page: Page; code: string }> {
  const browser = openBrowser(world);
  const page = await browser.sendCode(approval.secret);
  assert.equal(page.status, 200, page.text);
  assert.match(page.text, /Enter your code/);
  return { browser, page, code: newestCode(world) };
}

/** Everything identity keeps about approvals, for "nothing changed". */
async function kept(): Promise<unknown> {
  const { rows } = await world.admin.query(`
    select (select count(*)::int from identity.step_ups) as codes,
           (select coalesce(sum(tries), 0)::int from identity.code_tries) as tries,
           (select count(*)::int from identity.code_tries where locked_at is not null) as locks,
           (select count(*)::int from identity.used_grants) as grants,
           (select count(*)::int from audit.events) as events`);
  return { ...(rows[0] as object), mails: world.mail.mails.length, reveals: world.vault.reveals.length };
}

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

describe('a decision with a code', () => {
  it('reaches dispatch-api with the digest and the assurance, and shows what was committed', async () => {
    verifies('T3.2', 'T3.3', 'T3.4');
    const approval = await stage();
    const { browser, page, code } = await withCode(approval);
    const mail = world.mail.mails.at(-1);
    assert.deepEqual(mail?.to, ['alan@stores.example']);
    assert.equal(mail?.user, 'identity');
    for (const words of ['$200.00', 'DL-TEST2345', 'only on the page you opened']) {
      assert.ok(mail?.text.includes(words), words);
    }
    assert.ok(!mail?.text.includes(approval.secret));
    const done = await browser.decide(approval.secret, page, code);
    assert.equal(done.status, 200);
    assert.match(done.text, /Approved/);
    assert.match(done.text, /\$950\.00/);
    const decision = world.dispatchApi.decisions.at(-1);
    const digest = actionDigest(approval.action);
    assert.equal(decision?.approvalId, approval.approvalId);
    assert.deepEqual(decision?.body, { decision: 'APPROVE', action_digest: digest });
    assert.equal(decision?.claims.sub, `contact:${approval.contactId}`);
    assert.equal(decision?.claims.scope, 'step-up');
    assert.equal(decision?.claims.tctx.action_digest, digest);
    assert.deepEqual(decision?.claims.rctx, {
      channel: 'web',
      assurance: 'L2',
      amr: ['sms-link', 'email-code'],
    });
  });

  it('can be a no', async () => {
    const approval = await stage();
    const { browser, page, code } = await withCode(approval);
    const done = await browser.decide(approval.secret, page, `${code.slice(0, 4)} ${code.slice(4)}`, 'DENY');
    assert.match(done.text, /Declined/);
    const sent = world.dispatchApi.decisions.at(-1);
    assert.deepEqual(sent?.body, { decision: 'DENY', action_digest: actionDigest(approval.action) });
  });

  it('uses a code once', async () => {
    verifies('T3.7');
    const approval = await stage();
    const { browser, page, code } = await withCode(approval);
    await browser.decide(approval.secret, page, code);
    const count = world.dispatchApi.decisions.length;
    assert.equal((await browser.decide(approval.secret, page, code)).status, 403);
    assert.equal(world.dispatchApi.decisions.length, count);
  });

  it('uses a code once, and counts every try, when many come at once', async () => {
    verifies('T3.7', 'T3.9', 'R.2');
    const right = await stage();
    const one = await withCode(right);
    const count = world.dispatchApi.decisions.length;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => one.browser.decide(right.secret, one.page, one.code)),
    );
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    assert.equal(world.dispatchApi.decisions.length, count + 1);

    const wrong = await stage();
    const two = await withCode(wrong);
    const guesses = Array.from({ length: 12 }, (_, step) => otherCode(two.code, step + 1));
    await Promise.all(guesses.map((guess) => two.browser.decide(wrong.secret, two.page, guess)));
    const { rows } = await world.admin.query('select tries from identity.code_tries where approval_id = $1', [
      wrong.approvalId,
    ]);
    assert.deepEqual(rows, [{ tries: 5 }]);
    assert.match((await two.browser.decide(wrong.secret, two.page, two.code)).text, /locked/);
    assert.equal(world.dispatchApi.decisions.length, count + 1);
  });

  it('locks after five wrong tries over all codes: then the right one is refused too', async () => {
    verifies('T3.7', 'T3.9');
    const approval = await stage();
    const first = await withCode(approval);
    for (const step of [1, 2, 3]) {
      const page = await first.browser.decide(approval.secret, first.page, otherCode(first.code, step));
      assert.equal(page.status, 403);
      assert.match(page.text, /does not fit/);
    }
    // Another code, in another browser, does not start the count again.
    const second = await withCode(approval);
    assert.match(second.page.text, /2 tries left/);
    assert.match((await second.browser.decide(approval.secret, second.page, '')).text, /One try left/);
    assert.match((await second.browser.decide(approval.secret, second.page, 'abcdefgh')).text, /locked/);
    const count = world.dispatchApi.decisions.length;
    const late = await second.browser.decide(approval.secret, second.page, second.code);
    assert.equal(late.status, 403);
    assert.match(late.text, /locked/);
    assert.match((await openBrowser(world).open(approval.secret)).text, /locked/);
    const mails = world.mail.mails.length;
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 403);
    assert.equal(world.mail.mails.length, mails);
    assert.equal(world.dispatchApi.decisions.length, count);
  });

  it('works only in the browser that asked for the code', async () => {
    verifies('T3.9');
    const approval = await stage();
    const { page, code, browser } = await withCode(approval);
    const count = world.dispatchApi.decisions.length;
    // Without the cookie, even with the form's token.
    assert.equal((await openBrowser(world).decide(approval.secret, page, code)).status, 401);
    // With a cookie and form of its own, and the code of the other browser.
    const thief = await withCode(approval);
    assert.equal((await thief.browser.decide(approval.secret, thief.page, code)).status, 403);
    // With the other browser's form token.
    assert.equal((await thief.browser.decide(approval.secret, page, thief.code)).status, 401);
    assert.equal(world.dispatchApi.decisions.length, count);
    assert.equal((await browser.decide(approval.secret, page, code)).status, 200);
  });

  it('never fits another approval', async () => {
    verifies('T3.4', 'T3.9');
    const contactId = randomUUID();
    const small = await stage({ contactId });
    const large = await stage({ contactId, action: canonicalJson({ ...ACTION, amount_cents: 24_000 }) });
    const browser = openBrowser(world);
    await browser.sendCode(small.secret);
    const code = newestCode(world);
    const page = await browser.sendCode(large.secret);
    const count = world.dispatchApi.decisions.length;
    assert.equal((await browser.decide(large.secret, page, code)).status, 403);
    assert.equal(world.dispatchApi.decisions.length, count);
  });

  it('dies with a change of what is asked, and after ten minutes', async () => {
    verifies('T3.4', 'T3.7');
    const approval = await stage();
    const { browser, page, code } = await withCode(approval);
    const count = world.dispatchApi.decisions.length;
    world.dispatchApi.stage({ ...approval, action: canonicalJson({ ...ACTION, amount_cents: 20_001 }) });
    assert.equal((await browser.decide(approval.secret, page, code)).status, 403);
    world.dispatchApi.stage(approval);
    await world.admin.query(
      `update identity.step_ups set sent_at = sent_at - interval '10 minutes', expires_at = expires_at - interval '10 minutes'
        where approval_id = $1`,
      [approval.approvalId],
    );
    assert.equal((await browser.decide(approval.secret, page, code)).status, 403);
    assert.equal(world.dispatchApi.decisions.length, count);
  });

  it('is posted from our own origin, with our own form, and in one reading only', async () => {
    verifies('I.4', 'T3.9');
    const approval = await stage();
    const { browser, page, code } = await withCode(approval);
    const path = `/approve/${approval.secret}/decide`;
    const form = { decision: 'APPROVE', code, csrf: csrfOf(page) };
    const body = new URLSearchParams(form).toString();
    const count = world.dispatchApi.decisions.length;
    for (const origin of ['http://127.0.0.1:4300', 'null', 'http://localhost:4320.evil.example']) {
      assert.equal((await browser.post(path, form, { origin })).status, 401, origin);
    }
    const other: Array<[Record<string, string> | string, Record<string, string>, number]> = [
      [`${body}&decision=DENY`, {}, 400],
      [`${body}&more=1`, {}, 400],
      [{ ...form, decision: 'MAYBE' }, {}, 400],
      [{ ...form, csrf: 'x'.repeat(43) }, {}, 401],
      [JSON.stringify(form), { 'content-type': 'application/json' }, 415],
      [{ ...form, code: '1'.repeat(4_000) }, {}, 413],
    ];
    for (const [fields, headers, status] of other) {
      assert.equal((await browser.post(path, fields, headers)).status, status);
    }
    assert.equal(
      (await browser.post(`/approve/${approval.secret}/code`, {}, { origin: 'null' })).status,
      401,
    );
    assert.equal(world.dispatchApi.decisions.length, count);
    assert.equal((await browser.post(path, form)).status, 200, 'none of it cost a try');
  });

  it('shows a refusal of dispatch-api in plain words, and asks again when no answer came', async () => {
    verifies('T2.2');
    const refused = await stage();
    const one = await withCode(refused);
    const { decide } = world.dispatchApi;
    try {
      world.dispatchApi.decide = () => {
        throw new DispatchError('limit_exceeded');
      };
      const page = await one.browser.decide(refused.secret, one.page, one.code);
      assert.equal(page.status, 403);
      assert.match(page.text, /above your approval limit/);

      const lost = await stage();
      const two = await withCode(lost);
      let calls = 0;
      world.dispatchApi.decide = (decision) => {
        calls += 1;
        if (calls === 1) throw new DispatchError('unavailable');
        return decide(decision);
      };
      assert.equal((await two.browser.decide(lost.secret, two.page, two.code)).status, 200);
      const [first, second] = world.dispatchApi.decisions.slice(-2);
      assert.equal(first?.idempotencyKey, second?.idempotencyKey);
      assert.notEqual(first?.claims.txn, second?.claims.txn);
    } finally {
      world.dispatchApi.decide = decide;
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
    for (let sent = 0; sent < 5; sent += 1) await withCode(approval);
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
