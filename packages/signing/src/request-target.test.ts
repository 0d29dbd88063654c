import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { MAX_TARGET_LENGTH, parseTarget } from './request-target.ts';

const isMalformed = (error: unknown) => error instanceof DispatchError && error.code === 'malformed_body';

const NORMAL: Record<string, readonly [string, string]> = {
  '/': ['/', '?'],
  '/v1/tickets': ['/v1/tickets', '?'],
  '/v1/tickets/': ['/v1/tickets/', '?'],
  '/v1/tickets?limit=20&state=NEW': ['/v1/tickets', '?limit=20&state=NEW'],
  '/v1/a?b=%2F%C3%A9': ['/v1/a', '?b=%2F%C3%A9'],
  '/v1/%C3%A9': ['/v1/%C3%A9', '?'],
  '/v1/...': ['/v1/...', '?'],
  '/v1/ticket.triage': ['/v1/ticket.triage', '?'],
  '/v1/a?b=c?d': ['/v1/a', '?b=c?d'],
};

const REFUSED: readonly string[] = [
  '',
  '*',
  'v1/x',
  'http://host/v1/x',
  'HTTP://host/v1/x',
  '//host/v1/x',
  '/v1//x',
  '/v1/./x',
  '/v1/../x',
  '/v1/..',
  '/.',
  '/v1/%2e%2e/x',
  '/v1/%2E%2E/x',
  '/v1/%41',
  '/v1/%7E',
  '/v1/%2F',
  '/v1/%5C',
  '/v1/%c3%a9',
  '/v1/%C3%a9',
  '/v1/%C3',
  '/v1/%FF',
  '/v1/%ED%A0%80',
  '/v1/%00',
  '/v1/%0A',
  '/v1/%7F',
  '/v1/%',
  '/v1/%4',
  '/v1/%GG',
  '/v1\\x',
  '/v1/x;a=b',
  '/v1/x#y',
  '/v1/x y',
  '/v1/x\ty',
  '/v1/x\ny',
  '/v1/\u00e9',
  '/v1/\u0000',
  '/v1/"x"',
  '/v1/[x]',
  '/v1/{x}',
  '/v1/x?',
  '/v1/x?a=[b]',
  '/v1/x?a=%2e',
  '/v1/x?a=%2a%2A',
  '/v1/x?a b',
  '/v1/x?a#b',
  '/v1/x?\u00e9',
  `/${'x'.repeat(MAX_TARGET_LENGTH)}`,
];

describe('request target', () => {
  for (const [raw, [path, query]] of Object.entries(NORMAL)) {
    it(`reads ${raw}`, () => {
      assert.deepEqual(parseTarget(raw), { path, query });
    });
  }

  for (const raw of REFUSED) {
    it(`refuses ${JSON.stringify(raw.slice(0, 40))}`, () => {
      verifies('T4.4');
      assert.throws(() => parseTarget(raw), isMalformed);
    });
  }

  it('whatever is accepted is what the URL standard makes of it: one reading only', () => {
    verifies('T4.4');
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      '%2e',
      '%2F',
      '%C3%A9',
      '?',
      '#',
      '\\',
      'a',
      'B',
      '%41',
      ';',
      '//',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const raw = `/${pieces.join('')}`;
        let read: ReturnType<typeof parseTarget>;
        try {
          read = parseTarget(raw);
        } catch (error) {
          assert.ok(isMalformed(error));
          return;
        }
        const url = new URL(`http://host${raw}`);
        assert.equal(read.path, url.pathname);
        assert.equal(read.query, url.search === '' ? '?' : url.search);
        assert.equal(`${read.path}${read.query === '?' ? '' : read.query}`, raw);
      }),
      { numRuns: 2_000 },
    );
  });
});
