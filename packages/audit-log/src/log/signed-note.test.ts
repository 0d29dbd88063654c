import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { formatNoteKey, isNoteName, noteKey, parseNoteKey } from './note-keys.ts';
import { parseNote, signNote, verifyNote } from './signed-note.ts';

const isRefused = (error: unknown) => error instanceof DispatchError && error.code === 'unauthenticated';
const isUnusable = (error: unknown) => error instanceof DispatchError && error.code === 'unavailable';

/** The example of the reference implementation (golang.org/x/mod/sumdb/note), key and all. */
const KEY_LINE = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}
\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`;
const key = parseNoteKey('log', KEY_LINE);
const own = loadSigningKey(generateSigningKeyPem());

describe('note key', () => {
  it('is written as everybody writes it', () => {
    assert.deepEqual([key.name, key.keyId, key.kind], ['PeterNeumann', 0xc74f20a3, 'log']);
    assert.equal(formatNoteKey(key), KEY_LINE);
    for (const kind of ['log', 'witness'] as const) {
      const line = formatNoteKey(noteKey(kind, 'witness.example/w1', own.publicKey));
      assert.equal(formatNoteKey(parseNoteKey(kind, line)), line);
    }
  });

  it('is refused when any part is off, or it is of another kind', () => {
    const wrong = [
      '',
      KEY_LINE.toLowerCase(),
      KEY_LINE.replace('c74f20a3', 'c74f20a4'),
      KEY_LINE.replace('c74f20a3', 'C74F20A3'),
      KEY_LINE.replace('Peter', 'peter'),
      KEY_LINE.replace('+ARpc', '+BBpc'),
      KEY_LINE.slice(0, -1),
      `${KEY_LINE}=`,
      `${KEY_LINE}\n`,
      ` ${KEY_LINE}`,
      KEY_LINE.replaceAll('+', ' '),
      `PRIVATE+KEY+${KEY_LINE}`,
    ];
    for (const line of wrong) assert.throws(() => parseNoteKey('log', line), isUnusable, line);
    assert.throws(() => parseNoteKey('witness', KEY_LINE), isUnusable);
  });

  it('has a name that can stand in a line', () => {
    for (const name of ['deadlatch/demo', 'example.com/log42', 'a']) assert.ok(isNoteName(name));
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b', 'a\u2003b', 'a\0', '\ud800', 'x'.repeat(201)]) {
      assert.equal(isNoteName(name), false, JSON.stringify(name));
      assert.throws(() => noteKey('log', name, own.publicKey), isUnusable);
    }
  });
});

describe('signed note', () => {
  it('is made and read as by the reference implementation', () => {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
    const privateKey = createPrivateKey({ key: Buffer.concat([prefix, SEED]), format: 'der', type: 'pkcs8' });
    const pair = loadSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    assert.equal(signNote(TEXT, 'PeterNeumann', pair), NOTE);
    assert.equal(verifyNote(parseNote(Buffer.from(NOTE)), key), TEXT);
  });

  it('is refused after the change of any byte', () => {
    const bytes = Buffer.from(NOTE);
    for (let i = 0; i < bytes.byteLength; i += 1) {
      for (const bit of [1, 2, 32, 128]) {
        const changed = Uint8Array.from(bytes);
        changed[i] = (changed[i] ?? 0) ^ bit;
        assert.throws(() => verifyNote(parseNote(changed), key), isRefused, `byte ${i}`);
      }
      const shorter = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]);
      assert.throws(() => verifyNote(parseNote(shorter), key), isRefused, `without byte ${i}`);
    }
  });

  it('has one form', () => {
    const line = NOTE.slice(TEXT.length + 1);
    const wrong = [
      '',
      '\n\n',
      TEXT,
      `${TEXT}\n`,
      `${TEXT}${line}`,
      NOTE.slice(0, -1),
      `${NOTE}\n`,
      `${NOTE}${line}\n`,
      `${TEXT}\n${line.replace('\u2014', '-')}`,
      `${TEXT}\n${line.replace('\u2014', '--')}`,
      `${TEXT}\n${line.replace(' P', '  P')}`,
      `${TEXT}\n ${line}`,
      `${TEXT}\n${line.replace('=\n', '= \n')}`,
      `${TEXT}\n${line.replace('=\n', '\n')}`,
      `${TEXT}\n${line.replace('M=\n', 'N=\n')}`,
      `${TEXT}\n${line.replaceAll('/', '_')}`,
      `${TEXT}\n\u2014 PeterNeumann x08gow==\n`,
      `${TEXT}\n\u2014 Peter+Neumann ${line.split(' ')[2]}`,
      NOTE.replaceAll('\n', '\r\n'),
      NOTE.replace('you', 'yo\tu'),
      `\ufeff${NOTE}`,
      `${TEXT}\n${line.repeat(65)}`,
      `${'x'.repeat(131_072)}\n\n${line}`,
    ];
    for (const note of wrong)
      assert.throws(() => parseNote(Buffer.from(note)), isRefused, note.slice(0, 200));
    assert.throws(() => parseNote(Buffer.from([0xff, ...Buffer.from(NOTE)])), isRefused);
  });

  it('may bear signatures of others, which say nothing, and none that claims to be of the key and is not', () => {
    const line = NOTE.slice(TEXT.length + 1);
    const stranger = signNote(TEXT, 'PeterNeumann', own).slice(TEXT.length + 1);
    assert.equal(verifyNote(parseNote(Buffer.from(`${TEXT}\n${stranger}${line}${stranger}`)), key), TEXT);
    assert.throws(() => verifyNote(parseNote(Buffer.from(`${TEXT}\n${stranger}`)), key), isRefused);
    const signature = Buffer.from(line.split(' ')[2]?.trim() ?? '', 'base64');
    signature[40] = (signature[40] ?? 0) ^ 1;
    const spoiled = `\u2014 PeterNeumann ${signature.toString('base64')}\n`;
    for (const lines of [`${line}${spoiled}`, `${spoiled}${line}`]) {
      assert.throws(() => verifyNote(parseNote(Buffer.from(`${TEXT}\n${lines}`)), key), isRefused);
    }
    const witness = noteKey('witness', 'PeterNeumann', key.publicKey);
    assert.throws(() => verifyNote(parseNote(Buffer.from(NOTE)), witness), isRefused);
  });

  it('may have empty lines in its text, and is not signed when no one could read it', () => {
    const text = 'a\n\nb\n';
    const note = parseNote(Buffer.from(signNote(text, 'log', own)));
    assert.equal(verifyNote(note, noteKey('log', 'log', own.publicKey)), text);
    for (const unreadable of ['', '\n', 'a', 'a\tb\n', '\ud800\n', 'a\r\n']) {
      assert.throws(() => signNote(unreadable, 'log', own), isUnusable, JSON.stringify(unreadable));
    }
    assert.throws(() => signNote('a\n', 'my log', own), isUnusable);
  });
});
