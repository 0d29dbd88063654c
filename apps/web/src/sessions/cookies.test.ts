import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieNames, readCookie, setCookie } from './cookies.ts';

test('behind https every cookie is Secure and bound to the host by its name', () => {
  const names = cookieNames(new URL('https://dispatch.example'));
  assert.equal(names.session, '__Host-deadlatch_session');
  assert.match(setCookie(names, names.session, 'x', 60), /; HttpOnly; SameSite=Strict; Secure$/);
  const local = cookieNames(new URL('http://127.0.0.1:4300'));
  assert.doesNotMatch(setCookie(local, local.session, 'x', 60), /Secure/);
});

test('a cookie is read by its exact name and form', () => {
  assert.equal(readCookie('a=1; deadlatch_session=abc', 'deadlatch_session'), 'abc');
  assert.equal(readCookie('xdeadlatch_session=abc', 'deadlatch_session'), null);
  assert.equal(readCookie('deadlatch_session=a"b', 'deadlatch_session'), null);
  assert.equal(readCookie(undefined, 'deadlatch_session'), null);
  assert.throws(() => readCookie('deadlatch_session=a; deadlatch_session=b', 'deadlatch_session'), {
    code: 'unauthenticated',
  });
});
