import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import type { ClientFiles } from './client-files.ts';
import { DANA } from './testing/people.ts';
import { type RunningWeb, startTestWeb } from './testing/running-web.ts';

const CLIENT: ClientFiles = {
  page: '<!doctype html><meta name="style-nonce" content="__STYLE_NONCE__"><script type="module" src="/assets/a.js"></script>',
  files: new Map([
    ['/assets/a.js', { bytes: Buffer.from('1'), contentType: 'text/javascript; charset=utf-8' }],
  ]),
};

describe('the edge of web', () => {
  let web: RunningWeb;
  before(async () => {
    web = await startTestWeb({ client: CLIENT });
  });
  after(() => web.close());

  test('answers for the configured host only, whatever is forwarded', async () => {
    const { cookie } = await web.signIn(DANA);
    const host = new URL(web.origin).host;
    for (const path of ['/', '/api/me', `/s/${'S'.repeat(22)}`, `/sign-in/${'L'.repeat(22)}`]) {
      const denied = await web.ask(path, {
        headers: { host: 'evil.example', 'x-forwarded-host': host, cookie },
      });
      assert.equal(denied.status, 404, path);
      assert.equal(denied.json?.code, 'not_found', path);
    }
    assert.equal((await web.ask('/', { headers: { host } })).status, 200);
    assert.equal((await web.ask('/livez', { headers: { host: '10.0.0.7:4300' } })).status, 200);
  });

  test('the console runs our own script only, with a fresh style nonce for each answer', async () => {
    const [one, two] = [await web.ask('/'), await web.ask('/tickets/anything')];
    const nonceOf = (text: string) => /content="([A-Za-z0-9_-]{43})"/.exec(text)?.[1];
    assert.notEqual(nonceOf(one.text), undefined);
    assert.notEqual(nonceOf(one.text), nonceOf(two.text));
    const policy = String(one.headers['content-security-policy']);
    assert.equal(
      policy,
      `default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'nonce-${nonceOf(one.text)}'; ` +
        "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    assert.doesNotMatch(one.text, /<script(?![^>]*src=)/);
  });

  test('every answer carries the headers that keep a browser strict', async () => {
    const { cookie } = await web.signIn(DANA);
    const paths = ['/', '/api/me', `/sign-in/${'L'.repeat(22)}`, `/s/${'S'.repeat(22)}`, '/reports'];
    for (const path of paths) {
      const { headers } = await web.ask(path, { headers: { cookie } });
      assert.match(
        String(headers['content-security-policy']),
        /^default-src 'none';.*frame-ancestors 'none'/,
        path,
      );
      assert.doesNotMatch(String(headers['content-security-policy']), /unsafe/, path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.equal(headers['x-frame-options'], 'DENY', path);
      assert.equal(headers['referrer-policy'], 'same-origin', path);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
      assert.equal(headers['cache-control'], 'no-store', path);
      assert.equal(headers['access-control-allow-origin'], undefined, path);
    }
  });

  test('serves the files of the build and no other', async () => {
    const file = await web.ask('/assets/a.js');
    assert.equal(file.text, '1');
    assert.match(String(file.headers['cache-control']), /immutable/);
    for (const path of [
      '/assets/b.js',
      '/assets/',
      '/package.json',
      '/assets/%2e%2e/env.ts',
      '/assets/../package.json',
    ]) {
      assert.ok([400, 404].includes((await web.ask(path)).status), path);
    }
  });

  test('without a build the console says so, and a body that is too large is refused unread', async () => {
    verifies('I.4');
    const unbuilt = await startTestWeb();
    const page = await unbuilt.ask('/');
    assert.equal(page.status, 503);
    assert.match(page.text, /has not been built/);
    await unbuilt.close();
    const denied = await web.ask('/api/commands/ticket.ready', {
      method: 'POST',
      headers: { origin: web.origin, 'content-type': 'application/json' },
      body: Buffer.alloc(300_000, 0x20),
    });
    assert.equal(denied.status, 413);
  });
});
