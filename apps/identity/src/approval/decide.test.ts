import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { actionDigest, canonicalJson } from '@deadlatch/signing';
import { SMTPServer } from 'smtp-server';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { askForCode, stageApproval } from '../testing/approvals.ts';
import { csrfOf, newestCode, openBrowser, otherCode } from '../testing/browser.ts';
import { ACTION, type StagedApproval } from '../testing/peers.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World;
before(async () => {
  world = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer });
});
after(() => world?.close());

const stage = (given?: Partial<StagedApproval>) => stageApproval(world, given);
const withCode = (approval: StagedApproval) => askForCode(world, approval);

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

  it('is mailed three times in ten minutes and then again: whoever holds the link locks nobody out', async () => {
    verifies('T3.9', 'T3.7');
    const approval = await stage();
    const { browser, page, code } = await withCode(approval);
    for (let more = 0; more < 2; more += 1) await withCode(approval);
    const mails = world.mail.mails.length;
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 429);
    assert.equal(world.mail.mails.length, mails);
    const shift = (minutes: number) =>
      world.admin.query(
        `update identity.step_ups set sent_at = sent_at - $2::interval, expires_at = expires_at - $2::interval
          where approval_id = $1`,
        [approval.approvalId, `${minutes} minutes`],
      );
    await shift(9);
    assert.equal((await openBrowser(world).sendCode(approval.secret)).status, 429);
    await shift(1);
    const later = await withCode(approval);
    assert.equal(world.mail.mails.length, mails + 1);
    // Tries are counted over all codes all the same.
    assert.equal((await browser.decide(approval.secret, page, code)).status, 403);
    assert.match((await later.browser.open(approval.secret)).text, /4 tries left/);
    assert.equal((await later.browser.decide(approval.secret, later.page, later.code)).status, 200);
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
