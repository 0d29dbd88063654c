import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { formHeaders, type RunningWeb, startTestWeb } from '../testing/running-web.ts';

const SECRET = 'c'.repeat(34);
const [FIRST, SECOND] = [
  '01900000-0000-7000-8000-0000000000a1',
  '01900000-0000-7000-8000-0000000000a2',
] as const;
const OFFERED: JsonValue = {
  ticket: { reference: 'DL-ABCD2345', state: 'SCHEDULE_PROPOSED' },
  time_zone: 'America/New_York',
  options: [
    { id: FIRST, words: 'Mon Mar 2, 8:00 AM to 10:00 AM' },
    { id: SECOND, words: 'Tue Mar 3, <b>8:00</b> AM to 10:00 AM' },
  ],
  other_time: true,
  agreed: null,
  chosen: null,
};

describe('the page behind a link in a text about times', () => {
  let web: RunningWeb;
  before(async () => {
    web = await startTestWeb();
  });
  after(() => web.close());

  const shows = (answer: JsonValue) => web.peers.answers.set(`GET /v1/choices/${SECRET}`, () => answer);
  const answers = (code: ErrorCode | null) =>
    web.peers.answers.set('POST /v1/choice.make', () => {
      if (code !== null) throw new DispatchError(code);
      return { ticket: null, result: {}, event_id: FIRST, receipt: '' };
    });
  const press = (body: string, headers: Record<string, string> = {}, path = `/c/${SECRET}`) =>
    web.ask(path, { method: 'POST', headers: { ...formHeaders(web.origin), ...headers }, body });
  const sentBy = async (run: () => Promise<unknown>) => {
    const start = web.peers.calls.length;
    await run();
    return web.peers.calls.slice(start).filter(({ route }) => route.startsWith('POST'));
  };

  test('shows a button for each time, runs nothing, and looking at it sends nothing', async () => {
    verifies('T3.12', 'T1.10');
    shows(OFFERED);
    const sent = await sentBy(async () => {
      const page = await web.ask(`/c/${SECRET}`);
      assert.equal(page.status, 200);
      assert.match(page.text, /When may we come\?/);
      assert.match(page.text, new RegExp(`name="time" value="${FIRST}">Mon Mar 2, 8:00 AM to 10:00 AM<`));
      assert.match(page.text, /Tue Mar 3, &lt;b&gt;8:00/);
      assert.match(page.text, /value="other">None of these: other times</);
      assert.match(page.text, /America\/New York/);
      assert.doesNotMatch(page.text, /<script|DISPATCHED/);
      const prefetched = await web.ask(`/c/${SECRET}?time=${FIRST}`, { headers: { purpose: 'prefetch' } });
      assert.equal(prefetched.status, 200);
      assert.equal((await web.ask(`/c/${SECRET}?time=${FIRST}`, { method: 'HEAD' })).status, 404);
    });
    assert.deepEqual(sent, []);
  });

  test('a button sends its choice with the secret, without a token, and twice as one request', async () => {
    verifies('T1.10', 'R.2');
    shows(OFFERED);
    answers(null);
    const sent = await sentBy(async () => {
      for (const time of [FIRST, FIRST, 'other']) {
        const answer = await press(`time=${time}`);
        assert.deepEqual([answer.status, answer.headers.location], [303, `/c/${SECRET}`]);
      }
    });
    assert.deepEqual(
      sent.map(({ route, body, token }) => [route, body, token]),
      [
        ['POST /v1/choice.make', { link: SECRET, kind: 'OPTION', option_id: FIRST }, null],
        ['POST /v1/choice.make', { link: SECRET, kind: 'OPTION', option_id: FIRST }, null],
        ['POST /v1/choice.make', { link: SECRET, kind: 'OTHER_TIME' }, null],
      ],
    );
    assert.equal(sent[0]?.idempotencyKey, sent[1]?.idempotencyKey);
    assert.notEqual(sent[0]?.idempotencyKey, sent[2]?.idempotencyKey);
  });

  test('from another site, in another form, or for what is not offered, nothing is sent', async () => {
    verifies('T3.12', 'I.4');
    shows(OFFERED);
    answers(null);
    const sent = await sentBy(async () => {
      const foreign = { origin: 'https://elsewhere.example' };
      assert.equal((await press(`time=${FIRST}`, foreign)).status, 401);
      assert.equal((await press(`time=${FIRST}`, { 'sec-fetch-site': 'cross-site' })).status, 401);
      const { origin: _, ...without } = formHeaders(web.origin) as Record<string, string>;
      const bare = await web.ask(`/c/${SECRET}`, { method: 'POST', headers: without, body: `time=${FIRST}` });
      assert.equal(bare.status, 401, 'no origin at all');
      for (const body of [
        '',
        'time=',
        'time=1',
        `time=${FIRST}&time=${SECOND}`,
        `time=${FIRST}&x=1`,
        `x=${FIRST}`,
      ]) {
        assert.equal((await press(body)).status, 404, body);
      }
      assert.equal((await press(`time=${FIRST}`, { 'content-type': 'application/json' })).status, 415);
      assert.equal((await press(`time=${FIRST}`, {}, `/c/${'C'.repeat(34)}`)).status, 404);
      // On a page that does not offer it any more.
      assert.equal((await press(`time=${SECRET.slice(0, 8)}-0000-7000-8000-000000000000`)).status, 303);
      shows({ ...OFFERED, options: [], other_time: false });
      assert.equal((await press('time=other')).status, 303);
    });
    assert.deepEqual(sent, []);
  });

  test('says what is the case now: chosen, agreed, over; and the same for every link that is none', async () => {
    verifies('T2.5', 'T3.12');
    const state = (now: string) => ({ reference: 'DL-ABCD2345', state: now });
    const over = { ...OFFERED, options: [], other_time: false } as Record<string, JsonValue>;
    const read = async (answer: JsonValue) => {
      shows(answer);
      return (await web.ask(`/c/${SECRET}`)).text;
    };
    assert.match(
      await read({ ...over, chosen: { words: 'Mon Mar 2, 8:00 AM' } }),
      /You chose Mon Mar 2, 8:00 AM\./,
    );
    assert.match(await read({ ...over, chosen: { words: null } }), /You asked for another time\./);
    const agreed = { ...over, ticket: state('SCHEDULED'), agreed: 'Mon Mar 2, 8:00 AM', other_time: true };
    assert.match(await read(agreed), /Agreed time<\/dt><dd>Mon Mar 2.*I need another time/s);
    assert.match(
      await read({ ...over, ticket: state('ON_SITE') }),
      /Nothing can be chosen with this link any more\./,
    );
    assert.doesNotMatch(await read({ ...over, ticket: state('ON_SITE') }), /<form/);

    const unknown = await web.ask(`/c/${'d'.repeat(34)}`);
    shows({ ...over, ticket: state('TELEPORTED') });
    const pages = [
      unknown,
      await web.ask('/c/abc'),
      await web.ask(`/c/${SECRET}`),
      await web.ask(`/s/${SECRET}`),
    ];
    assert.deepEqual(
      pages.map(({ status }) => status),
      [404, 404, 404, 404],
    );
    assert.equal(new Set(pages.map(({ text }) => text)).size, 1);

    // Somebody was faster: the page says so. A part that is down changes nothing, and says that.
    shows(OFFERED);
    for (const [code, status] of [
      ['superseded', 303],
      ['invalid_state', 303],
      ['unavailable', 503],
      ['above_ceiling', 404],
    ] as const) {
      answers(code);
      assert.equal((await press(`time=${FIRST}`)).status, status, code);
    }
  });
});
