import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import type { PinnedKey } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { createKeyRing } from './key-ring.ts';
import { pinned } from './server.fixture.ts';

const isUnavailable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

function ring(read: () => readonly PinnedKey[] | Promise<readonly PinnedKey[]>) {
  const clock = { ms: 1_000_000 };
  return { clock, keys: createKeyRing({ read, now: () => clock.ms }) };
}

describe('key ring', () => {
  it('forgets a revoked key within 30 s', async () => {
    verifies('T4.2');
    let rows: readonly PinnedKey[] = [pinned];
    const { clock, keys } = ring(() => rows);
    assert.equal((await keys.current())(pinned.keyId), pinned);
    rows = [];
    clock.ms += 9_999;
    assert.equal((await keys.current())(pinned.keyId), pinned);
    clock.ms += 1;
    assert.equal((await keys.current())(pinned.keyId), undefined);
  });

  it('learns of a new key within 30 s', async () => {
    verifies('T4.2');
    let rows: readonly PinnedKey[] = [];
    const { clock, keys } = ring(() => rows);
    assert.equal((await keys.current())(pinned.keyId), undefined);
    rows = [pinned];
    clock.ms += 30_000;
    assert.equal((await keys.current())(pinned.keyId), pinned);
  });

  it('bridges a moment without the source, never more than 30 s, and recovers by itself', async () => {
    verifies('C.6');
    let isDown = false;
    const { clock, keys } = ring(() => {
      if (isDown) throw new Error('down');
      return [pinned];
    });
    await keys.current();
    isDown = true;
    clock.ms += 29_999;
    assert.equal((await keys.current())(pinned.keyId), pinned);
    clock.ms += 1;
    await assert.rejects(keys.current(), isUnavailable);
    await assert.rejects(keys.current(), isUnavailable);
    isDown = false;
    assert.equal((await keys.current())(pinned.keyId), pinned);
  });

  it('reads again when the clock steps back', async () => {
    let reads = 0;
    let isDown = false;
    const { clock, keys } = ring(() => {
      reads += 1;
      if (isDown) throw new Error('down');
      return [pinned];
    });
    await keys.current();
    clock.ms -= 60_000;
    await keys.current();
    assert.equal(reads, 2);
    // Nobody knows how old they are by a clock that went back.
    isDown = true;
    clock.ms -= 60_000;
    await assert.rejects(keys.current(), isUnavailable);
  });

  it('counts the age from before a slow read', async () => {
    verifies('T4.2');
    let rows: readonly PinnedKey[] = [pinned];
    const { clock, keys } = ring(async () => {
      const seen = rows;
      clock.ms += 20_000;
      return seen;
    });
    await keys.current();
    rows = [];
    clock.ms += 10_000;
    assert.equal((await keys.current())(pinned.keyId), undefined);
  });

  it('reads once for many who ask at the same time', async () => {
    let reads = 0;
    const { keys } = ring(async () => {
      reads += 1;
      return [pinned];
    });
    await Promise.all(Array.from({ length: 20 }, () => keys.current()));
    assert.equal(reads, 1);
  });

  it('refuses everything while a key is pinned for two services', async () => {
    verifies('C.0');
    const { keys } = ring(() => [pinned, { ...pinned, service: 'identity' }]);
    await assert.rejects(keys.current(), isUnavailable);
  });

  it('does not know inherited names', async () => {
    const { keys } = ring(() => [pinned]);
    assert.equal((await keys.current())('constructor'), undefined);
  });
});
