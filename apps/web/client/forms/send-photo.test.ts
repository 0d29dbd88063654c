import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import { sendPhoto, type UploadWire } from './send-photo.ts';

class Cut extends Error {}

/** A store behind a connection that is cut where it is told: by call, after so many bytes. */
function connection(cuts: readonly (number | null)[]) {
  const stored: number[] = [];
  const pauses: number[] = [];
  const addresses: string[] = [];
  const left = [...cuts];
  const next = () => left.shift() ?? null;
  const wire: UploadWire = {
    renew: async () => {
      addresses.push(`/uploads/x?${addresses.length}`);
      return addresses.at(-1) ?? '';
    },
    stands: async (address) => {
      assert.equal(address, addresses.at(-1));
      if (next() !== null) throw new Cut();
      return stored.length;
    },
    send: async (_address, offset, bytes) => {
      assert.equal(offset, stored.length);
      const cut = next();
      const all = [...new Uint8Array(await bytes.arrayBuffer())];
      for (const byte of cut === null ? all : all.slice(0, cut)) stored.push(byte);
      if (cut !== null) throw new Cut();
      return stored.length;
    },
    pause: async (ms) => {
      pauses.push(ms);
    },
    isPassing: (error) => error instanceof Cut,
  };
  return { wire, stored, pauses, addresses };
}

const photoOf = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]);

test('a photo arrives whole and in order, wherever the connection is cut', async () => {
  verifies('R.1');
  const bytes = Uint8Array.from({ length: 1_200_000 }, (_, i) => i % 251);
  const cut = fc.option(fc.integer({ min: 0, max: 600_000 }), { freq: 2 });
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 8 }), async (cuts) => {
      const { wire, stored } = connection(cuts);
      await sendPhoto(photoOf(bytes), wire, () => undefined);
      assert.equal(Buffer.compare(Buffer.from(stored), Buffer.from(bytes)), 0);
    }),
    { numRuns: 25 },
  );
});

test('what was stored is not sent again, and every try has a fresh address', async () => {
  const bytes = new Uint8Array(600_000);
  const { wire, stored, pauses, addresses } = connection([null, 100_000, 0, 0]);
  const shares: number[] = [];
  await sendPhoto(photoOf(bytes), wire, (share) => shares.push(share));
  assert.equal(stored.length, 600_000);
  assert.deepEqual(pauses, [500, 1_000, 2_000]);
  assert.equal(addresses.length, 4);
  assert.deepEqual(shares, [0, 1 / 6, 1]);
});

test('it gives up after ten tries without a byte, and at once on a refusal', async () => {
  verifies('C.0');
  const { wire, pauses } = connection(Array(40).fill(0));
  await assert.rejects(
    sendPhoto(photoOf(new Uint8Array(9)), wire, () => undefined),
    Cut,
  );
  assert.equal(pauses.length, 9);
  assert.equal(Math.max(...pauses), 15_000);

  const refused = connection([]);
  const wall = { ...refused.wire, send: () => Promise.reject(new Error('payload_too_large')) };
  await assert.rejects(
    sendPhoto(photoOf(new Uint8Array(9)), wall, () => undefined),
    /too_large/,
  );
  assert.deepEqual(refused.pauses, []);
});
