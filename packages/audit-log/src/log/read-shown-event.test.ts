import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError, parseStrictJson } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';
import fc from 'fast-check';
import { readShownEvent } from './read-shown-event.ts';

const GOOD = { v: 1, id: '0195a000-0000-7000-8000-000000000001', time: '2026-03-01T12:00:00.000Z' };
const read = (text: string) => readShownEvent(Buffer.from(text));

/** The slow and obvious way: parse strictly, write canonically, compare. */
function isCanonical(text: string): boolean {
  try {
    return canonicalJson(parseStrictJson(Buffer.from(text))) === text;
  } catch (error) {
    assert.ok(error instanceof DispatchError);
    return false;
  }
}

describe('an event that is shown', () => {
  it('is read', () => {
    assert.deepEqual(read(canonicalJson(GOOD)), { id: GOOD.id, timeMs: Date.parse(GOOD.time) });
  });

  it('is canonical as the strict parser and the canonical writer say, whatever else it holds', () => {
    const key = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('10', '9', '01', '__proto__', 'a', 'é', '\u{1f600}', '\uffff', ''),
    );
    const value = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u0000', '\ud800', '\u2028', '\u007f'),
      fc.double(),
    );
    fc.assert(
      fc.property(fc.dictionary(key, value), fc.boolean(), (extra, isOrdered) => {
        let text: string;
        try {
          text = isOrdered ? canonicalJson({ ...extra, ...GOOD }) : JSON.stringify({ ...extra, ...GOOD });
        } catch {
          text = JSON.stringify({ ...extra, ...GOOD });
        }
        assert.equal(typeof read(text) === 'object', isCanonical(text), text);
      }),
      { numRuns: 300 },
    );
  });

  it('has one spelling', () => {
    const text = canonicalJson(GOOD);
    for (const wrong of [
      ` ${text}`,
      text.replace(',', ', '),
      text.replace('"v":1', '"v":1.0'),
      text.replace('"v":1', '"v":1e0'),
      text.replace('"v":1', '"v":1,"v":1'),
      text.replace('"v"', '"\\u0076"'),
      text.replace('"v":1', '"v":1,"w":"\\/"'),
      text.replace('"v":1', '"v":1,"w":9007199254740993'),
      text.replace('"v":1', '"v":1,"w":1e999'),
      text.replace('"v":1', '"v":1,"w":-0'),
      text.replace('"v":1', '"v":1,"w":"\\u0000"'),
      text.replace('"v":1', '"v":1,"w":"\\ud800"'),
      text.replace('"v":1', '"__proto__":{},"v":1'),
      text.replace('"v":1', `"v":1,"w":${'['.repeat(17)}${']'.repeat(17)}`),
      JSON.stringify({ v: 1, id: GOOD.id, time: GOOD.time }),
      '\ufeff'.concat(text),
    ]) {
      assert.equal(isCanonical(wrong), false, wrong);
      assert.equal(typeof read(wrong), 'string', wrong);
    }
    assert.equal(typeof readShownEvent(Buffer.from([0x22, 0xff, 0x22])), 'string');
    // Integer-like keys come out of the platform's objects in another order than canonical form asks for.
    const numbered = canonicalJson({ ...GOOD, 10: 1, 9: 1 });
    assert.equal(typeof read(numbered), 'object');
  });
});
