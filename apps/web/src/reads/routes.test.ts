import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { CONVERSATION_ID, DANA, EVIDENCE_ID, TICKET_ID, TOM } from '../testing/people.ts';
import { type RunningWeb, startTestWeb } from '../testing/running-web.ts';

const TICKET = `/v1/tickets/${TICKET_ID}`;
const SECRET = 'S'.repeat(22);

describe('reading', () => {
  let web: RunningWeb;
  before(async () => {
    web = await startTestWeb();
    const { answers } = web.peers;
    answers.set('GET /v1/tickets', () => ({ tickets: [], next: null }));
    answers.set('GET /v1/tickets?state=NEW&after=2026%7C%2B1', () => ({
      tickets: [{ id: TICKET_ID }],
      next: null,
    }));
    answers.set(`GET ${TICKET}`, () => ({
      ticket: { id: TICKET_ID, state: 'NEW', conversation_id: CONVERSATION_ID },
      allowed: [],
    }));
    answers.set(`GET ${TICKET}/timeline`, () => ({ events: [] }));
    answers.set(`GET ${TICKET}/evidence`, () => ({ evidence: [] }));
    answers.set(`GET ${TICKET}/approvals`, () => ({ approvals: [] }));
    answers.set(`GET ${TICKET}/schedule-options`, () => ({ options: [], agreed: null, choice: null }));
    answers.set(`GET ${TICKET}/recommendations`, () => ({ recommended: [], others: [] }));
    answers.set(`GET /v1/conversations/${CONVERSATION_ID}`, () => ({ conversation: null, entries: [] }));
    answers.set('GET /v1/sites', () => ({ sites: [] }));
    answers.set(`GET /v1/sites/${TICKET_ID}`, () => ({ site: { id: TICKET_ID } }));
    answers.set('GET /v1/technicians', () => ({ technicians: [] }));
    answers.set('GET /v1/autonomy', () => ({ pauses: [] }));
    answers.set('GET /v1/reports', () => ({ reports: [] }));
  });
  after(() => web.close());

  const routesAfter = async (run: () => Promise<unknown>): Promise<string[]> => {
    const start = web.peers.calls.length;
    await run();
    return web.peers.calls
      .slice(start)
      .filter((call) => call.service === 'dispatch-api')
      .map((call) => call.route);
  };

  test('every read needs a session, and none is answered to another site', async () => {
    const { cookie } = await web.signIn(DANA);
    const paths = [
      '/api/me',
      '/api/queue',
      `/api/tickets/${TICKET_ID}`,
      `/api/tickets/${TICKET_ID}/recommendations`,
      '/api/sites',
      `/api/sites/${TICKET_ID}`,
      '/api/technicians',
      '/api/reports',
      '/api/autonomy',
      '/api/catalogue',
    ];
    for (const path of paths) {
      assert.equal((await web.ask(path, { headers: { cookie } })).status, 200, path);
      assert.equal((await web.ask(path)).status, 401, path);
      for (const site of ['cross-site', 'same-site']) {
        const denied = await web.ask(path, { headers: { cookie, 'sec-fetch-site': site } });
        assert.equal(denied.status, 401, `${path} ${site}`);
      }
    }
  });

  test('the queue passes its filter and place on, and refuses any other', async () => {
    verifies('I.2', 'C.8');
    const { cookie } = await web.signIn(DANA);
    const found = await web.ask('/api/queue?state=NEW&after=2026%7C%2B1', { headers: { cookie } });
    assert.deepEqual(found.json?.tickets, [{ id: TICKET_ID }]);
    const all = `state=NEW&priority=NONE&site=${TICKET_ID}&mine=true&after=2026`;
    web.peers.answers.set(`GET /v1/tickets?${all}`, () => ({ tickets: [], next: 'x' }));
    assert.equal((await web.ask(`/api/queue?${all}`, { headers: { cookie } })).json?.next, 'x');
    for (const query of [
      'priority=urgent',
      'priority=NONE&priority=URGENT',
      'site=store-114',
      'mine=false',
      'constructor=1',
      '__proto__=1',
      'state=OPEN',
      'state=NEW&state=CLOSED',
      'tenant=other',
      `after=${'x'.repeat(301)}`,
      'after=%C3%A4',
    ]) {
      const denied = await web.ask(`/api/queue?${query}`, { headers: { cookie } });
      assert.equal(denied.status, 400, query);
    }
  });

  test('a ticket page holds what the role reads; the rest is not even asked for', async () => {
    verifies('T5.6');
    const dana = await web.signIn(DANA);
    const whole = await web.ask(`/api/tickets/${TICKET_ID}`, { headers: { cookie: dana.cookie } });
    assert.deepEqual(
      Object.entries(whole.json ?? {}).map(([name, value]) => [name, value !== null]),
      [
        ['ticket', true],
        ['allowed', true],
        ['timeline', true],
        ['evidence', true],
        ['approvals', true],
        ['schedule', true],
        ['wanted_evidence', false],
        ['conversation', true],
      ],
    );
    const tom = await web.signIn(TOM);
    const routes = await routesAfter(async () => {
      const { json } = await web.ask(`/api/tickets/${TICKET_ID}`, { headers: { cookie: tom.cookie } });
      assert.equal(json?.timeline, null);
      assert.equal(json?.conversation, null);
      assert.deepEqual(json?.evidence, { evidence: [] });
    });
    assert.deepEqual(routes.sort(), [
      'GET /v1/self',
      `GET ${TICKET}`,
      `GET ${TICKET}/approvals`,
      `GET ${TICKET}/evidence`,
    ]);
  });

  test('who can go is asked for one ticket alone', async () => {
    const { cookie } = await web.signIn(DANA);
    const asked = await routesAfter(() =>
      web.ask(`/api/tickets/${TICKET_ID}/recommendations`, { headers: { cookie } }),
    );
    assert.deepEqual(asked, [`GET ${TICKET}/recommendations`]);
    const other = await routesAfter(async () => {
      const { status } = await web.ask(`/api/tickets/${TICKET_ID}0/recommendations`, { headers: { cookie } });
      assert.equal(status, 404);
    });
    assert.deepEqual(other, []);
  });

  test('roles are read anew each time: one that was taken away is gone from the next page', async () => {
    verifies('A.4', 'T2.2');
    const { cookie } = await web.signIn(DANA);
    web.peers.answers.set('GET /v1/self', () => ({ roles: ['technician', 'emperor'] }));
    const page = await web.ask(`/api/tickets/${TICKET_ID}`, { headers: { cookie } });
    assert.equal(page.json?.timeline, null);
    assert.deepEqual((await web.ask('/api/me', { headers: { cookie } })).json?.roles, ['technician']);
    web.peers.answers.set('GET /v1/self', () => ({ roles: 'dispatcher' }));
    assert.equal((await web.ask('/api/me', { headers: { cookie } })).status, 503);
    web.peers.answers.delete('GET /v1/self');
    assert.deepEqual((await web.ask('/api/me', { headers: { cookie } })).json?.roles, ['dispatcher']);
  });

  test('a part that the authority refuses to somebody is not shown to them', async () => {
    const { cookie } = await web.signIn(DANA);
    web.peers.answers.set(`GET ${TICKET}/timeline`, () => {
      throw new DispatchError('not_granted');
    });
    const page = await web.ask(`/api/tickets/${TICKET_ID}`, { headers: { cookie } });
    assert.equal(page.status, 200);
    assert.equal(page.json?.timeline, null);
    web.peers.answers.set(`GET ${TICKET}/timeline`, () => ({ events: [] }));
  });

  test('a photo comes as the picture it is, or not at all', async () => {
    verifies('T5.6');
    const { cookie } = await web.signIn(TOM);
    const path = `/api/evidence/${EVIDENCE_ID}`;
    const stored = (type: string, size = 3) =>
      web.peers.answers.set(`GET /v1/evidence/${EVIDENCE_ID}/content`, () => ({
        type,
        bytes: Buffer.alloc(size, 1).toString('base64url'),
      }));
    assert.equal((await web.ask(path, { headers: { cookie } })).status, 404);
    stored('image/png');
    const photo = await web.ask(path, { headers: { cookie } });
    assert.deepEqual([photo.status, photo.headers['content-type']], [200, 'image/png']);
    assert.equal(photo.headers['x-content-type-options'], 'nosniff');
    assert.match(String(photo.headers['content-security-policy']), /default-src 'none'/);
    assert.equal(photo.text.length, 3);
    assert.equal((await web.ask(path)).status, 401);
    assert.equal((await web.ask(`${path}0`, { headers: { cookie } })).status, 404);
    for (const other of ['text/html', 'image/svg+xml', '']) {
      stored(other);
      assert.equal((await web.ask(path, { headers: { cookie } })).status, 503, other);
    }
  });

  test('an unknown ticket is not found, and a part that cannot be read fails the page', async () => {
    const { cookie } = await web.signIn(DANA);
    const unknown = await web.ask('/api/tickets/01900000-0000-7000-8000-0000000000ff', {
      headers: { cookie },
    });
    assert.equal(unknown.json?.code, 'not_found');
    assert.equal((await web.ask('/api/tickets/constructor', { headers: { cookie } })).status, 404);
    web.peers.answers.set(`GET ${TICKET}/evidence`, () => {
      throw new DispatchError('unavailable');
    });
    assert.equal((await web.ask(`/api/tickets/${TICKET_ID}`, { headers: { cookie } })).status, 503);
    web.peers.answers.set(`GET ${TICKET}/evidence`, () => ({ evidence: [] }));
  });

  test('a token is asked for once and kept; each person has their own', async () => {
    const minted = () => web.peers.calls.filter((call) => call.route === 'POST /v1/tokens/session').length;
    const dana = await web.signIn(DANA);
    const before = minted();
    await Promise.all([1, 2, 3].map(() => web.ask('/api/queue', { headers: { cookie: dana.cookie } })));
    assert.equal(minted(), before);
    const tom = await web.signIn(TOM);
    await web.ask('/api/queue', { headers: { cookie: tom.cookie } });
    assert.match(web.peers.calls.at(-1)?.token ?? '', /tomtechnician$/);
  });

  test('the status page tells the holder of a link the state of now, in plain HTML', async () => {
    verifies('T2.5', 'T2.2');
    web.peers.answers.set(`GET /v1/links/${SECRET}`, () => ({
      ticket: {
        reference: 'DL-<b>7',
        state: 'ON_SITE',
        updated_at: '2026-11-22T10:00:00.000Z',
        nte_cents: 75_000,
      },
      messages: [
        { at: '2026-11-22T09:00:00.000Z', text: 'DL-7: a technician <i>is</i> coming' },
        { text: 'not shown' },
      ],
      waived: ['photo.after.failed_lock', 'lock_unlock_x5', 7],
    }));
    const page = await web.ask(`/s/${SECRET}`);
    assert.equal(page.status, 200);
    assert.match(page.text, /DL-&lt;b&gt;7/);
    assert.match(page.text, /The technician is on site\./);
    assert.match(page.text, /DL-7: a technician &lt;i&gt;is&lt;\/i&gt; coming/);
    assert.match(page.text, /Is a message real\?/);
    assert.match(page.text, /Not on record, by decision of a supervisor/);
    assert.match(page.text, /<li>failed lock \(photo, after\)<\/li><li>lock unlock x5<\/li>/);
    assert.doesNotMatch(page.text, /<script|750|not shown/);
    assert.equal(web.peers.calls.at(-1)?.token, null);
    web.peers.answers.set(`GET /v1/links/${SECRET}`, () => ({
      ticket: { reference: 'DL-7', state: 'CLOSED' },
    }));
    const bare = (await web.ask(`/s/${SECRET}`)).text;
    assert.match(bare, /This is finished\./);
    assert.doesNotMatch(bare, /Not on record/);
  });

  test('every link that is not good gives one neutral page', async () => {
    verifies('T3.12', 'C.8');
    const bad = new Map([
      ['unknown', `/s/${'U'.repeat(22)}`],
      ['short', '/s/abc'],
      ['state without words', `/s/${SECRET}`],
    ]);
    web.peers.answers.set(`GET /v1/links/${SECRET}`, () => ({
      ticket: { reference: 'DL-7', state: 'TELEPORTED' },
    }));
    const pages = await Promise.all([...bad.values()].map((path) => web.ask(path)));
    assert.deepEqual(
      pages.map((page) => page.status),
      [404, 404, 404],
    );
    assert.equal(new Set(pages.map((page) => page.text)).size, 1);
    assert.doesNotMatch(pages[2]?.text ?? '', /DL-7/);
  });
});
