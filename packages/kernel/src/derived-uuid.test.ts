import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { derivedUuid } from './derived-uuid.ts';
import { isUuid } from './ids.ts';

describe('derivedUuid', () => {
  it('is the same for the same text, for ever', () => {
    // Pinned: a request repeated after an upgrade must carry the key that it had before.
    assert.equal(derivedUuid(''), '055539df-4a0b-804c-98ca-f46c0cd2941a');
    assert.equal(derivedUuid('turn:1'), derivedUuid('turn:1'));
    assert.notEqual(derivedUuid('turn:1'), derivedUuid('turn:2'));
    assert.notEqual(derivedUuid('a', 'bc'), derivedUuid('ab', 'c'));
  });

  it('is always a UUID of version 8', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const uuid = derivedUuid(text);
        assert.ok(isUuid(uuid), uuid);
        assert.equal(uuid[14], '8');
      }),
    );
  });
});
