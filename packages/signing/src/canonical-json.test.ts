import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';
import { actionDigest, contentDigest, keyedDigest } from './digests.ts';

describe('canonical JSON', () => {
  it('is that of RFC 8785, sections 3.2.2 and 3.2.3', () => {
    const input = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    ) as unknown;
    assert.equal(
      canonicalJson(input),
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    assert.deepEqual(
      [...canonicalJson(keys).matchAll(/:(\d)/g)].map(([, digit]) => Number(digit)),
      [2, 4, 6, 7, 1, 5, 3],
    );
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  const REFUSED: Record<string, unknown> = {
    undefined: undefined,
    'an undefined member': { a: undefined },
    'an undefined item': [undefined],
    'a hole': new Array(1),
    NaN: Number.NaN,
    infinity: { a: Number.POSITIVE_INFINITY },
    'a bigint': 1n,
    'a symbol': Symbol('a'),
    'a function': { a: () => 1 },
    'a lone surrogate': 'a\ud800',
    'a lone surrogate in a name': { '\udc00': 1 },
    'a date': new Date(0),
    'something that turns itself into JSON': { toJSON: () => 'x' },
    'a map': new Map(),
    'a buffer': Buffer.from('a'),
    'a boxed number': Object(1),
    'a cycle': cycle,
  };
  for (const [name, value] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => canonicalJson(value),
        (e) => e instanceof DispatchError && e.code === 'schema_mismatch',
      );
    });
  }

  it('says the same as its input, whatever the order of the members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        assert.equal(canonicalJson(JSON.parse(text)), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        assert.equal(canonicalJson(reversed(value)), text);
      }),
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

describe('digests', () => {
  it('are those of the RFC and of another implementation', () => {
    // RFC 9530, appendix D.1
    assert.equal(
      contentDigest(Buffer.from('{"hello": "world"}\n')),
      'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
    );
    assert.equal(contentDigest(new Uint8Array()), 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:');
    assert.equal(actionDigest('{}'), createHash('sha256').update('{}').digest('base64url'));
  });

  it('of guessable values need a whole key', () => {
    const key = Buffer.alloc(32, 1);
    assert.equal(keyedDigest(key, 'a'), keyedDigest(key, Buffer.from('a')));
    assert.notEqual(keyedDigest(key, 'a'), keyedDigest(Buffer.alloc(32, 2), 'a'));
    assert.match(keyedDigest(key, 'a'), /^[A-Za-z0-9_-]{43}$/);
    for (const short of [Buffer.alloc(0), Buffer.alloc(31, 1)]) {
      assert.throws(() => keyedDigest(short, 'a'), DispatchError);
    }
  });
});
