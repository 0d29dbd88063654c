import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import {
  formatCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  verifyCheckpoint,
  verifyLogSignature,
} from './checkpoint.ts';
import { cosign } from './cosignature.ts';
import { emptyRoot, leafHash } from './hashing.ts';
import { formatNoteKey, noteKey } from './note-keys.ts';
import { signNote } from './signed-note.ts';
import { witnessPolicy } from './witness-policy.ts';

const isRefused = (error: unknown) => error instanceof DispatchError && error.code === 'unauthenticated';
const isUnusable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';
const newKey = () => loadSigningKey(generateSigningKeyPem());

const ORIGIN = 'deadlatch/demo';
const TIME_S = 1_763_823_600;
const logPair = newKey();
const logKey = noteKey('log', ORIGIN, logPair.publicKey);
const root = leafHash(Buffer.from('only'));
const checkpoint = { origin: ORIGIN, size: 1, root };
const text = formatCheckpoint(checkpoint);
const note = signCheckpoint(checkpoint, logPair);

const witnesses = ['w1', 'w2', 'w3'].map((name) => {
  const pair = newKey();
  return { name, pair, line: formatNoteKey(noteKey('witness', name, pair.publicKey)) };
});
const [w1, w2, w3] = witnesses;
assert.ok(w1 && w2 && w3);
const lines = witnesses.map(({ line }) => line);
const by = ({ name, pair }: (typeof witnesses)[number], timeS = TIME_S, signed = text) =>
  cosign(signed, timeS, name, pair);
const policy = (quorum: number) => witnessPolicy(quorum, lines);
const verify = (bytes: string | Uint8Array, quorum = 1) =>
  verifyCheckpoint(Buffer.from(bytes), logKey, policy(quorum));

describe('checkpoint', () => {
  it('is three lines, and read back as the same', () => {
    assert.equal(text, `${ORIGIN}\n1\n${Buffer.from(root).toString('base64')}\n`);
    assert.deepEqual(parseCheckpoint(text), { ...checkpoint, root: Buffer.from(root) });
    const empty = { origin: ORIGIN, size: 0, root: emptyRoot() };
    assert.equal(parseCheckpoint(formatCheckpoint(empty)).size, 0);
    assert.equal(
      parseCheckpoint(`a\n${Number.MAX_SAFE_INTEGER}\n${text.split('\n')[2]}\n`).size,
      2 ** 53 - 1,
    );
  });

  it('is refused in any other form, extensions too', () => {
    const hash = Buffer.from(root).toString('base64');
    const wrong = [
      '',
      text.slice(0, -1),
      `${text}extension\n`,
      `${text}\n`,
      `\n1\n${hash}\n`,
      `a b\n1\n${hash}\n`,
      `a+b\n1\n${hash}\n`,
      `a\n\n${hash}\n`,
      ...[
        '01',
        '+1',
        '-1',
        '1.0',
        '1e3',
        '0x1',
        ' 1',
        '1 ',
        '\u0661',
        '9007199254740992',
        '99999999999999999999',
      ].map((size) => `a\n${size}\n${hash}\n`),
      `a\n1\n${hash.slice(0, -1)}\n`,
      `a\n1\n${hash}=\n`,
      `a\n1\n ${hash}\n`,
      `a\n1\n${Buffer.alloc(31).toString('base64')}\n`,
      `a\n1\n${Buffer.alloc(33).toString('base64')}\n`,
      `a\n0\n${hash}\n`,
    ];
    for (const other of wrong) assert.throws(() => parseCheckpoint(other), isRefused, JSON.stringify(other));
  });

  it('is not signed when it would be refused', () => {
    for (const change of [{ origin: 'a b' }, { size: -1 }, { size: 0.5 }, { root: Buffer.alloc(31) }]) {
      assert.throws(() => signCheckpoint({ ...checkpoint, ...change }, logPair), isUnusable);
    }
  });

  it('is of the log that signed it, and of no other', () => {
    assert.equal(verifyLogSignature(Buffer.from(note), logKey).text, text);
    const elsewhere = signNote(
      formatCheckpoint({ ...checkpoint, origin: 'deadlatch/other' }),
      ORIGIN,
      logPair,
    );
    assert.throws(() => verifyLogSignature(Buffer.from(elsewhere), logKey), isRefused);
    const forged = signCheckpoint(checkpoint, newKey());
    assert.throws(() => verifyLogSignature(Buffer.from(forged), logKey), isRefused);
    const extended = signNote(`${text}extension\n`, ORIGIN, logPair);
    assert.throws(() => verifyLogSignature(Buffer.from(extended), logKey), isRefused);
  });
});

describe('cosigned checkpoint', () => {
  it('counts when enough of the named witnesses cosigned, each once', () => {
    const cosigned = verify(`${note}${by(w1)}${by(w2, TIME_S + 5)}`, 2);
    assert.deepEqual(cosigned.cosignatures, [
      { witness: 'w1', timeS: TIME_S },
      { witness: 'w2', timeS: TIME_S + 5 },
    ]);
    assert.equal(verify(`${note}${by(w1)}${by(w1, TIME_S + 9)}`).cosignatures[0]?.timeS, TIME_S + 9);
    assert.equal(verify(`${note}${by(w1)}${by({ ...w2, pair: newKey() })}`).cosignatures.length, 1);
  });

  it('does not count with fewer, with strangers, with the same one twice, or without any', () => {
    for (const lines of [
      '',
      by(w1),
      `${by(w1)}${by(w1, TIME_S + 1)}`,
      `${by(w1)}${by({ ...w1, name: 'w2' })}`,
    ]) {
      assert.throws(() => verify(`${note}${lines}`, 2), isRefused);
    }
    assert.throws(() => verify(`${note}${by({ ...w1, name: 'w4' })}`), isRefused);
  });

  it('does not count when a witness cosigned something else, or the log did not sign', () => {
    const other = formatCheckpoint({ ...checkpoint, size: 2 });
    assert.throws(() => verify(`${note}${by(w1, TIME_S, other)}`), isRefused);
    assert.throws(() => verify(`${note}${by(w1, TIME_S, other)}${by(w2)}`), isRefused);
    assert.throws(() => verify(`${text}\n${by(w1)}${by(w2)}`), isRefused);
    // A note signature of a witness is no cosignature, and a cosignature of the log is none of its notes.
    const asNote = signNote(text, 'w1', w1.pair).slice(text.length + 1);
    assert.throws(() => verify(`${note}${asNote}`), isRefused);
    assert.throws(() => verify(`${text}\n${by({ ...w1, name: ORIGIN, pair: logPair })}${by(w1)}`), isRefused);
  });

  it('is refused after the change of any byte, when every signature is needed', () => {
    const bytes = Buffer.from(`${note}${by(w1)}${by(w2)}${by(w3)}`);
    assert.equal(verify(bytes, 3).cosignatures.length, 3);
    for (let i = 0; i < bytes.byteLength; i += 1) {
      const changed = Uint8Array.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
      assert.throws(() => verify(changed, 3), isRefused, `byte ${i}`);
    }
  });

  it('has a time that was and can be written', () => {
    for (const timeS of [0, -1, 1.5, Number.NaN, 2 ** 53]) assert.throws(() => by(w1, timeS), isUnusable);
  });
});

describe('witness policy', () => {
  it('asks for at least one and at most all it names, each name and key once', () => {
    for (const quorum of [1, 2, 3]) assert.equal(policy(quorum).quorum, quorum);
    for (const quorum of [0, -1, 4, 1.5, Number.NaN]) assert.throws(() => policy(quorum), isUnusable);
    assert.throws(() => witnessPolicy(1, []), isUnusable);
    assert.throws(() => witnessPolicy(1, [w1.line, w1.line]), isUnusable);
    const alias = formatNoteKey(noteKey('witness', 'alias', w1.pair.publicKey));
    assert.throws(() => witnessPolicy(1, [w1.line, alias]), isUnusable);
    const namesake = formatNoteKey(noteKey('witness', 'w1', w2.pair.publicKey));
    assert.throws(() => witnessPolicy(1, [w1.line, namesake]), isUnusable);
    assert.throws(() => witnessPolicy(1, [formatNoteKey(logKey)]), isUnusable);
  });

  it('is never satisfied by nobody, nor by the log itself', () => {
    assert.throws(
      () => verifyCheckpoint(Buffer.from(note), logKey, { quorum: 0, witnesses: [] }),
      isUnusable,
    );
    const self = { quorum: 1, witnesses: [noteKey('witness', 'me', logPair.publicKey)] };
    assert.throws(
      () => verifyCheckpoint(Buffer.from(`${note}${cosign(text, TIME_S, 'me', logPair)}`), logKey, self),
      isUnusable,
    );
  });
});
