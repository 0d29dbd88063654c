import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptyRoot, leafHash, nodeHash } from '@deadlatch/audit-log';
import { playVector } from './merkle-vectors.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const [left, right] = [leafHash(Buffer.from('a')), leafHash(Buffer.from('b'))];
const root = text(nodeHash(left, right));
const inclusion = { leafIdx: 1, treeSize: 2, root, leafHash: text(right), proof: [text(left)] };
const consistency = { size1: 1, size2: 2, root1: text(left), root2: root, proof: [text(right)] };

describe('a public vector', () => {
  it('agrees when the verifier does what it wants', () => {
    const play = (kind: 'inclusion' | 'consistency', vector: object) =>
      playVector(kind, JSON.stringify(vector));
    assert.equal(play('inclusion', { ...inclusion, wantErr: false }), undefined);
    assert.equal(play('inclusion', { ...inclusion, leafIdx: 0, wantErr: true }), undefined);
    assert.equal(play('consistency', { ...consistency, wantErr: false }), undefined);
    assert.equal(play('consistency', { ...consistency, proof: null, wantErr: true }), undefined);
    assert.match(play('inclusion', { ...inclusion, wantErr: true }) ?? '', /accepted/);
    assert.match(
      play('consistency', { ...consistency, root1: text(emptyRoot()), wantErr: false }) ?? '',
      /refused/,
    );
  });

  it('is one, or nothing was checked', () => {
    for (const wrong of [
      '[]',
      '{}',
      '{"wantErr":true}',
      JSON.stringify({ ...inclusion, root: 1, wantErr: true }),
    ]) {
      assert.throws(() => playVector('inclusion', wrong), Error, wrong);
    }
  });
});
