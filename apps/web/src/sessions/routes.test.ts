import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { DANA } from '../testing/people.ts';
import { formHeaders, jar, type RunningWeb, startTestWeb } from '../testing/running-web.ts';

const LINK = 'AAAAAAAAAAAAAAAAAAAAAA';
const OTHER_LINK = 'BBBBBBBBBBBBBBBBBBBBBB';

describe('signing in and out', () => {
  let web: RunningWeb;
  before(async () => {
    web = await startTestWeb();
  });
  after(() => web.close());

  const open = async (link: string) => {
    const page = await web.ask(`/sign-in/${link}`);
    return {
      page,
      cookie: jar(page.cookies),
      csrf: /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '',
    };
  };
  const press = (cookie: string, body: string, headers: Record<string, string> = {}) =>
    web.ask('/sign-in', {
      method: 'POST',
      headers: { ...formHeaders(web.origin), cookie, ...headers },
      body,
    });

  test('opening a link any number of times changes nothing; its button signs in once', async () => {
    verifies('T3.12');
    web.peers.links.set(LINK, DANA);
    const before = web.peers.calls.length;
    await open(LINK);
    const { page, cookie, csrf } = await open(LINK);
    assert.equal(page.status, 200);
    assert.match(page.text, /<button type="submit">Sign in<\/button>/);
    assert.equal(web.peers.calls.length, before, 'no peer was called');
    assert.ok(web.peers.links.has(LINK));

    const signedIn = await press(cookie, `link=${LINK}&csrf=${csrf}`);
    assert.equal(signedIn.status, 303);
    assert.equal(signedIn.headers.location, '/');
    const again = await press(cookie, `link=${LINK}&csrf=${csrf}`);
    assert.equal(again.status, 401);
    assert.deepEqual(again.cookies, []);
  });

  test('every cookie is HttpOnly, SameSite=Strict, for the whole site', async () => {
    web.peers.links.set(LINK, DANA);
    const { page, cookie, csrf } = await open(LINK);
    const { cookies } = await press(cookie, `link=${LINK}&csrf=${csrf}`);
    const all = [...page.cookies, ...cookies];
    assert.deepEqual(
      all.map((text) => text.split('=')[0]),
      ['deadlatch_sign_in', 'deadlatch_session', 'deadlatch_sign_in'],
    );
    for (const text of all) {
      assert.match(text, /; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/);
      assert.doesNotMatch(text, /Domain/i);
    }
  });

  test('a form that another page made does not sign in', async () => {
    const attempts = {
      'without the cookie of the page': async () => {
        const { csrf } = await open(LINK);
        return press('', `link=${LINK}&csrf=${csrf}`);
      },
      'with a token of another link': async () => {
        const { cookie, csrf } = await open(OTHER_LINK);
        return press(cookie, `link=${LINK}&csrf=${csrf}`);
      },
      'with a made-up token': async () =>
        press((await open(LINK)).cookie, `link=${LINK}&csrf=${'A'.repeat(43)}`),
      'without a token': async () => press((await open(LINK)).cookie, `link=${LINK}`),
      'with two links': async () => {
        const { cookie, csrf } = await open(LINK);
        return press(cookie, `link=${LINK}&link=${OTHER_LINK}&csrf=${csrf}`);
      },
      'from another origin': async () => {
        const { cookie, csrf } = await open(LINK);
        return press(cookie, `link=${LINK}&csrf=${csrf}`, { origin: 'http://evil.example' });
      },
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      web.peers.links.set(LINK, DANA);
      const answer = await attempt();
      assert.equal(answer.status, 401, name);
      assert.deepEqual(answer.cookies, [], name);
      assert.ok(web.peers.links.has(LINK), `${name}: the link was not used up`);
    }
  });

  test('an unknown and a used link give the same page; a malformed one calls nobody', async () => {
    verifies('T3.12');
    const { cookie, csrf } = await open(OTHER_LINK);
    const unknown = await press(cookie, `link=${OTHER_LINK}&csrf=${csrf}`);
    web.peers.links.set(LINK, DANA);
    const used = await open(LINK);
    await press(used.cookie, `link=${LINK}&csrf=${used.csrf}`);
    const second = await press(used.cookie, `link=${LINK}&csrf=${used.csrf}`);
    assert.equal(unknown.text, second.text);
    assert.equal((await web.ask('/sign-in/short')).status, 404);
  });

  test('/api/me says who it is and hands out the CSRF token; without a session it says nothing', async () => {
    verifies('A.2');
    const { cookie } = await web.signIn(DANA);
    const me = await web.ask('/api/me', { headers: { cookie } });
    assert.deepEqual(me.json?.subject, { kind: 'staff', id: DANA.subject.slice('staff:'.length) });
    assert.deepEqual(me.json?.roles, ['dispatcher']);
    assert.match(String(me.json?.csrf), /^[A-Za-z0-9_-]{43}$/);

    for (const bad of [
      '',
      'deadlatch_session=',
      `deadlatch_session=${'z'.repeat(43)}`,
      `${cookie}; ${cookie}`,
    ]) {
      const denied = await web.ask('/api/me', { headers: bad === '' ? {} : { cookie: bad } });
      assert.equal(denied.status, 401, bad);
      assert.equal(denied.json?.csrf, undefined);
    }
  });

  test('made-up sessions and links are answered 429 after a while, and identity is not asked', async () => {
    verifies('F.6');
    const own = await startTestWeb();
    const { cookie } = await own.signIn(DANA);
    const guess = (n: number) =>
      own.ask('/api/me', { headers: { cookie: `deadlatch_session=${String(n).padStart(43, 'z')}` } });
    for (let n = 0; n < 20; n += 1) assert.equal((await guess(n)).status, 401);
    const calls = own.peers.calls.length;
    assert.equal((await guess(20)).status, 429);
    const page = await own.ask(`/sign-in/${OTHER_LINK}`);
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const pressed = await own.ask('/sign-in', {
      method: 'POST',
      headers: { ...formHeaders(own.origin), cookie: jar(page.cookies) },
      body: `link=${OTHER_LINK}&csrf=${csrf}`,
    });
    assert.equal(pressed.status, 429);
    assert.equal(own.peers.calls.length, calls, 'no peer was called');
    assert.equal((await own.ask('/api/me', { headers: { cookie } })).status, 200);
    await own.close();
  });

  test('signing out ends the session at identity and removes the cookies', async () => {
    const { cookie, csrf } = await web.signIn(DANA);
    const headers = { origin: web.origin, cookie, 'content-type': 'application/json' };
    const denied = await web.ask('/api/sign-out', { method: 'POST', headers, body: '{}' });
    assert.equal(denied.status, 401);
    assert.equal((await web.ask('/api/me', { headers: { cookie } })).status, 200);

    const done = await web.ask('/api/sign-out', {
      method: 'POST',
      headers: { ...headers, 'x-csrf-token': csrf },
      body: '{}',
    });
    assert.equal(done.status, 200);
    assert.ok(done.cookies.every((text) => text.includes('Max-Age=0')));
    assert.equal((await web.ask('/api/me', { headers: { cookie } })).status, 401);
  });
});
