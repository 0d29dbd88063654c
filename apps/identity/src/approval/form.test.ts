import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import { parseForm } from './form.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const NAMES = ['decision', 'code'] as const;

describe('parseForm', () => {
  it('reads exactly the expected fields', () => {
    assert.deepEqual(parseForm(bytes('decision=APPROVE&code=12345678'), NAMES), {
      decision: 'APPROVE',
      code: '12345678',
    });
    assert.deepEqual(parseForm(bytes('code=a+b%2B&decision='), NAMES), { code: 'a b+', decision: '' });
    assert.deepEqual(parseForm(bytes(''), []), {});
  });

  it('refuses duplicates, unknown and missing fields, bad escapes and control characters', () => {
    verifies('I.4');
    const bad = [
      'decision=APPROVE&decision=DENY&code=1',
      'decision=APPROVE&code=1&%64ecision=DENY',
      'decision=APPROVE&code=1&extra=1',
      'decision=APPROVE',
      '',
      'decision=APPROVE&code',
      'decision=APPROVE&=1&code=1',
      'decision=APPROVE&code=%zz',
      'decision=APPROVE&code=%ff',
      'decision=APPROVE&code=1%0a',
      'decision=APPROVE&code=1&',
      'decision=APPROVE&code=1&__proto__=1',
    ];
    for (const body of bad) assert.throws(() => parseForm(bytes(body), NAMES), refused, body);
    assert.throws(() => parseForm(Uint8Array.of(0x63, 0x3d, 0xff), ['c']), refused);
  });

  it('reads back whatever a browser would send', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (decision, code) => {
        fc.pre(!/[\p{Cc}\p{Cs}]/u.test(decision + code));
        const body = new URLSearchParams({ decision, code }).toString();
        assert.deepEqual(parseForm(bytes(body), NAMES), { decision, code });
      }),
    );
  });
});

function refused(error: unknown): boolean {
  return error instanceof DispatchError && error.code === 'malformed_body';
}
