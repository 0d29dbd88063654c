import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { DispatchError } from './errors.ts';
import { type JsonValue, parseStrictJson } from './strict-json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseStrictJson(bytes(text));

function refuses(input: string | Uint8Array, label?: string): void {
  assert.throws(
    () => parseStrictJson(typeof input === 'string' ? bytes(input) : input),
    (error) => error instanceof DispatchError && error.code === 'malformed_body',
    label ?? (typeof input === 'string' ? input : undefined),
  );
}

/** Values that have exactly one meaning: what a strict parser must accept unchanged. */
const plainJson = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

/** Writes one character of a key in a JSON escape of the same meaning. */
const escaped = (key: string, at: number) =>
  JSON.stringify(key.slice(0, at)).slice(0, -1) +
  `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}` +
  JSON.stringify(key.slice(at + 1)).slice(1);

describe('parseStrictJson', () => {
  it('agrees with JSON.parse on whatever has one meaning, however it is spaced', () => {
    fc.assert(
      fc.property(plainJson, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
    );
  });

  it('never accepts what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        let accepted: unknown;
        try {
          accepted = parse(text);
        } catch (error) {
          assert.ok(error instanceof DispatchError);
          return;
        }
        assert.deepEqual(accepted, JSON.parse(text));
      }),
    );
  });

  it('accepts equal keys in different objects, and keys that only look alike', () => {
    assert.deepEqual(parse('{"a":{"a":1},"b":[{"a":1},{"a":2}]}'), { a: { a: 1 }, b: [{ a: 1 }, { a: 2 }] });
    assert.deepEqual(parse('{"a":1,"A":2,"a ":3}'), { a: 1, A: 2, 'a ': 3 });
    assert.deepEqual(parse('{"a":"a","b":"a"}'), { a: 'a', b: 'a' });
    assert.deepEqual(parse('["a","a"]'), ['a', 'a']);
  });

  it('refuses a key twice in one object', () => {
    verifies('I.4');
    refuses('{"a":1,"a":1}');
    refuses('{"a":1,"b":{"c":[]},"a":2}');
    refuses('{"b":{"a":1,"a":2}}');
    refuses('[{"x":0},{"a":1,"a":2}]');
    refuses('{"":1,"":2}');
  });

  it('refuses a key twice when one of them is written with an escape', () => {
    verifies('I.4');
    refuses('{"amount":1,"\\u0061mount":2}');
    refuses('{"a\\/b":1,"a/b":2}');
    refuses('{"\\ud83d\\ude00":1,"😀":2}');
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 12 }), fc.nat(), (key, n) => {
        fc.pre(key !== '__proto__');
        const twin = escaped(key, n % key.length);
        assert.equal(JSON.parse(twin), key);
        refuses(`{${JSON.stringify(key)}:1,${twin}:2}`, key);
      }),
    );
  });

  it('refuses __proto__ as a key, escaped or not, and leaves it alone as a value', () => {
    verifies('I.4');
    refuses('{"__proto__":{"admin":true}}');
    refuses('{"a":[{"__proto__":1}]}');
    refuses('{"\\u005f_proto__":1}');
    assert.deepEqual(parse('["__proto__"]'), ['__proto__']);
    assert.deepEqual(parse('{"a":"__proto__"}'), { a: '__proto__' });
  });

  it('refuses U+0000 in keys and values, which no text of the database can hold', () => {
    verifies('I.4');
    refuses('{"a":"x\\u0000y"}');
    refuses('{"x\\u0000":1}');
    assert.equal(parse('"\\u0001"'), '\u0001');
  });

  it('accepts 16 levels and refuses 17', () => {
    verifies('I.4');
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.ok(Array.isArray(parse(nested(16))));
    refuses(nested(17));
    refuses(`${'{"a":'.repeat(17)}1${'}'.repeat(17)}`);
    refuses('['.repeat(100_000) + ']'.repeat(100_000), 'very deep');
    assert.equal((parse(`[${'[],'.repeat(1_000)}[]]`) as JsonValue[]).length, 1_001);
  });

  it('refuses bytes that are not UTF-8, and a byte-order mark', () => {
    verifies('I.4');
    refuses(Uint8Array.of(0x22, 0xff, 0x22), 'stray byte');
    refuses(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 'overlong slash');
    refuses(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'encoded surrogate');
    refuses(Uint8Array.of(0x22, 0xe2, 0x82), 'cut off');
    refuses(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), 'byte-order mark');
    assert.equal(parse('"äö€😀"'), 'äö€😀');
  });

  it('refuses half of a surrogate pair, as a value and as a key', () => {
    verifies('I.4');
    refuses('"\\ud83d"');
    refuses('"\\ude00\\ud83d"');
    refuses('{"\\ud83d":1}');
    assert.equal(parse('"\\ud83d\\ude00"'), '😀');
  });

  it('refuses numbers that a double cannot hold exactly or at all', () => {
    verifies('I.4');
    assert.equal(parse('9007199254740991'), Number.MAX_SAFE_INTEGER);
    assert.equal(parse('-9007199254740991'), Number.MIN_SAFE_INTEGER);
    assert.equal(parse('12.5e-1'), 1.25);
    for (const text of ['9007199254740992', '-9007199254740993', '1e400', '-1e400', '1e20']) refuses(text);
    refuses('{"a":[1,{"b":1e999}]}');
  });

  it('is not confused by brackets, commas, digits and quotes inside strings', () => {
    const value = {
      a: '{"a":1,"a":2}',
      b: '[[[[[[[[[[[[[[[[[[[[',
      c: '9'.repeat(400),
      d: '\\"\\\\',
      e: ',"a":',
    };
    assert.deepEqual(parse(JSON.stringify(value)), value);
  });

  it('refuses what is not one JSON text', () => {
    for (const text of [
      '',
      ' ',
      '{}{}',
      '{"a":1,}',
      '[1,]',
      "{'a':1}",
      'NaN',
      '01',
      '+1',
      '.5',
      '"a\nb"',
      '//x\n1',
    ]) {
      refuses(text);
    }
  });
});
