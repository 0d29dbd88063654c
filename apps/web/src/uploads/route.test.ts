import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { EVIDENCE_ID, TICKET_ID, TOM } from '../testing/people.ts';
import { type RunningWeb, startTestWeb } from '../testing/running-web.ts';

const QUERY = `size=5&expires=1900000000&signature=${'s'.repeat(43)}`;

describe('uploading a photo', () => {
  let web: RunningWeb;
  let cookie: string;
  let csrf: string;
  before(async () => {
    web = await startTestWeb();
    ({ cookie, csrf } = await web.signIn(TOM));
  });
  after(() => web.close());

  const put = (path: string, headers: Record<string, string> = {}, body: Buffer = Buffer.from('photo')) =>
    web.ask(path, {
      method: 'PUT',
      headers: {
        origin: web.origin,
        cookie,
        'x-csrf-token': csrf,
        'content-type': 'image/jpeg',
        'content-length': String(body.byteLength),
        ...headers,
      },
      body,
    });

  test('streams the bytes on to the presigned address at dispatch-api', async () => {
    const answer = await put(`/api/uploads/${TICKET_ID}/${EVIDENCE_ID}?${QUERY}`);
    assert.equal(answer.status, 200);
    assert.equal(web.peers.uploads.get(`/uploads/${TICKET_ID}/${EVIDENCE_ID}?${QUERY}`)?.toString(), 'photo');
    assert.equal((await put(`/api/uploads/${EVIDENCE_ID}?${QUERY}`)).status, 200);
  });

  test('says where an upload stands, and streams on what is missing of it', async () => {
    verifies('R.1');
    web.peers.uploads.clear();
    const path = `/api/uploads/${TICKET_ID}/${EVIDENCE_ID}?${QUERY}`;
    const patch = (offset: string, body: string) =>
      web.ask(path, {
        method: 'PATCH',
        headers: {
          origin: web.origin,
          cookie,
          'x-csrf-token': csrf,
          'content-type': 'application/partial-upload',
          'content-length': String(body.length),
          'upload-offset': offset,
        },
        body: Buffer.from(body),
      });
    const stands = async () => {
      const answer = await web.ask(path, { method: 'HEAD', headers: { cookie } });
      return [answer.status, answer.headers['upload-offset']];
    };
    assert.deepEqual(await stands(), [204, '0']);
    assert.equal((await patch('0', 'pho')).headers['upload-offset'], '3');
    assert.equal((await patch('2', 'oto')).status, 409);
    for (const offset of ['', '-1', '3.0', '03']) assert.equal((await patch(offset, 'to')).status, 400);
    assert.deepEqual(await stands(), [204, '3']);
    assert.equal((await patch('3', 'to')).status, 200);
    assert.equal(web.peers.uploads.get(path.slice(4))?.toString(), 'photo');
    assert.equal((await web.ask(path, { method: 'HEAD' })).status, 401);
    const others = `/api/uploads/evil.example?${QUERY}`;
    assert.equal((await web.ask(others, { method: 'HEAD', headers: { cookie } })).status, 404);
  });

  test('passes nothing on without a session, its CSRF token and our origin', async () => {
    web.peers.uploads.clear();
    const path = `/api/uploads/${EVIDENCE_ID}?${QUERY}`;
    for (const headers of [{ cookie: '' }, { 'x-csrf-token': 'x' }, { origin: 'http://evil.example' }]) {
      assert.equal((await put(path, headers)).status, 401);
    }
    assert.equal(web.peers.uploads.size, 0);
  });

  test('refuses what is too large, of another type or of unknown length before passing on a byte', async () => {
    verifies('I.4');
    web.peers.uploads.clear();
    const path = `/api/uploads/${EVIDENCE_ID}?${QUERY}`;
    const tooLarge = await put(path, {}, Buffer.alloc(15_000_001));
    assert.equal(tooLarge.status, 413);
    assert.equal((await put(path, { 'content-type': 'image/svg+xml' })).status, 415);
    const unknown = await web.ask(path, {
      method: 'PUT',
      headers: {
        origin: web.origin,
        cookie,
        'x-csrf-token': csrf,
        'content-type': 'image/jpeg',
        'transfer-encoding': 'chunked',
      },
      body: Buffer.from('photo'),
    });
    assert.equal(unknown.status, 400);
    assert.equal(web.peers.uploads.size, 0);
  });

  test('calls no address but uploads of its own peer', async () => {
    web.peers.uploads.clear();
    const paths = [
      `/api/uploads/${EVIDENCE_ID}`,
      `/api/uploads/${EVIDENCE_ID}?${QUERY}&next=http://evil.example`,
      `/api/uploads/${EVIDENCE_ID}?${QUERY}&size=6`,
      `/api/uploads/${EVIDENCE_ID}/${EVIDENCE_ID}/${EVIDENCE_ID}?${QUERY}`,
      `/api/uploads/evil.example?${QUERY}`,
      `/api/uploads/?${QUERY}`,
    ];
    for (const path of paths) assert.equal((await put(path)).status, 404, path);
    assert.equal(web.peers.uploads.size, 0);
  });
});
