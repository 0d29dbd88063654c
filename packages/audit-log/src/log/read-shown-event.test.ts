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

  it('has a version that is a number, an id and a time that are strings, in the right form', () => {
    for (const change of [
      { v: '1' },
      { v: 2 },
      { v: null },
      { id: 5 },
      { id: null },
      { time: 5 },
      { time: '2026-03-01' },
    ]) {
      assert.equal(typeof read(canonicalJson({ ...GOOD, ...change })), 'string', JSON.stringify(change));
    }
    for (const name of Object.keys(GOOD)) {
      const { [name as keyof typeof GOOD]: _, ...rest } = GOOD;
      assert.equal(typeof read(canonicalJson(rest)), 'string', `without ${name}`);
    }
    // Only the outermost ones count.
    assert.equal(typeof read(canonicalJson({ a: GOOD })), 'string');
  });

  it('is refused after any cut and with any byte more', () => {
    const text = canonicalJson({ ...GOOD, a: [1, true, { b: 'c\n"' }], n: null });
    assert.equal(typeof read(text), 'object');
    for (let i = 0; i < text.length; i += 1) assert.equal(typeof read(text.slice(0, i)), 'string', `${i}`);
    for (const more of [' ', '}', ',', '"', '\n', '\0'])
      assert.equal(typeof read(text + more), 'string', more);
    for (let i = 0; i < text.length; i += 1) {
      for (const byte of ['"', '\\', ',', '0', ' ', '{', ']', '\n', '-', 'é']) {
        const changed = text.slice(0, i) + byte + text.slice(i + 1);
        if (typeof read(changed) === 'object') assert.ok(isCanonical(changed), changed);
      }
    }
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
