import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { shippedWordLists } from '../testing/word-lists.ts';
import { createMaskRunner } from './mask-runner.ts';
import { normalise } from './normalise.ts';

const lists = shippedWordLists();
const ENTRY = new URL('./mask-worker.ts', import.meta.url);
const HANGING = new URL('../testing/hanging-worker.ts', import.meta.url);

const runner = createMaskRunner({ entry: ENTRY, ...lists, limitMs: 20_000 });
after(() => runner.close());

const KNOWN = [
  { kind: 'person', value: 'Maria Lopez-Garcia' },
  { kind: 'phone', value: '+15125550123' },
  { kind: 'address', value: '1200 Oak Street, Springfield TX 78701' },
] as const;

const SIZE = 16_000;
const fill = (unit: string) => unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE);

/** Each aims at one scan: unclosed, nested, almost matching, never ending. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ['one letter', fill('a')],
  ['unclosed tags', fill('<a ')],
  ['tags that never close', fill('<')],
  ['closed tags', fill('<b></b>')],
  ['comments', fill('<!-- ')],
  ['script after script', fill('<script></script>')],
  ['ampersands', fill('&amp;')],
  ['nested entities', `&${fill('amp;')}#53;`.slice(0, SIZE)],
  ['quoted-printable', fill('=41')],
  ['soft breaks', fill('=\n')],
  ['quote marks', fill('> ')],
  ['at signs', fill('@')],
  ['almost an address', fill('a.')],
  ['almost an e-mail', `${fill('a@')}`],
  ['long local part', `${'a'.repeat(SIZE - 2)}@b`],
  ['dots', fill('.')],
  ['digits', fill('1')],
  ['digit and space', fill('1 ')],
  ['digit and filler', fill('1 then ')],
  ['spoken digits', fill('five ')],
  ['double double', fill('double ')],
  ['almost a phone', fill('512-55-')],
  ['house numbers', fill('12 oak ')],
  ['colons', fill('a:')],
  ['clock times', fill('1:11 ')],
  ['code words', fill('code ')],
  ['passwords', fill('password is ')],
  ['spelled letters', fill('m-')],
  ['names', fill('maria ')],
  ['near names', fill('marja ')],
  ['fresh words', Array.from({ length: 2_600 }, (_, n) => `q${n.toString(36)}x`).join(' ')],
  ['ibans', fill('GB29 ')],
  ['schemes', fill('http://')],
  ['dot com', fill('x.com.')],
  ['dot com in words', fill('x dot com ')],
  ['zero width', fill('\u200b').slice(0, 5_000)],
  ['emoji', fill('😀').slice(0, 7_000)],
  ['line feeds', fill('\n')],
  ['apostrophes', fill("a'")],
  ['serial numbers', fill('serial ')],
];

test('hostile shapes at full size end in a decision of the pipeline, not of the clock', async () => {
  for (const [name, raw] of HOSTILE) {
    const analysis = await runner.run({ raw, knownValues: KNOWN });
    const reason = analysis.state === 'WITHHELD' ? analysis.reason : 'ready';
    assert.notEqual(reason, 'timeout', name);
    assert.notEqual(reason, 'exception', name);
  }
});

test('a thread that hangs is killed and the message withheld; the next message is masked again', async () => {
  const hanging = createMaskRunner({ entry: HANGING, ...lists, limitMs: 300 });
  // Time enough to start on a busy machine: it is not killed, it dies.
  const dying = createMaskRunner({ entry: HANGING, ...lists, limitMs: 60_000 });
  try {
    assert.deepEqual(await hanging.run({ raw: 'hang', knownValues: [] }), {
      state: 'WITHHELD',
      reason: 'timeout',
    });
    assert.deepEqual(await dying.run({ raw: 'die', knownValues: [] }), {
      state: 'WITHHELD',
      reason: 'exception',
    });
    const next = await runner.run({ raw: 'the door is stuck', knownValues: [] });
    assert.equal(next.state, 'READY');
  } finally {
    await Promise.all([hanging, dying].map((each) => each.close()));
  }
});

test('concurrent messages do not mix', async () => {
  const texts = ['one door is stuck', 'two doors are stuck', 'three doors are stuck'];
  const answers = await Promise.all(texts.map((raw) => runner.run({ raw, knownValues: [] })));
  assert.deepEqual(
    answers.map((answer) => answer.state === 'READY' && answer.text),
    texts,
  );
});

test('a known value that cannot be compiled withholds instead of leaving it out', async () => {
  const analysis = await runner.run({
    raw: 'the door is stuck',
    knownValues: [{ kind: 'person', value: 'Mar\u0000ia' }],
  });
  assert.deepEqual(analysis, { state: 'WITHHELD', reason: 'missing_dictionary' });
});

test('no account, no dictionary, no release', async () => {
  const analysis = await runner.run({ raw: 'the door is stuck', knownValues: null });
  assert.deepEqual(analysis, { state: 'WITHHELD', reason: 'missing_dictionary' });
});

test('after close nothing is released', async () => {
  const closed = createMaskRunner({ entry: ENTRY, ...lists, limitMs: 1_000 });
  await closed.close();
  assert.deepEqual(await closed.run({ raw: 'the door is stuck', knownValues: [] }), {
    state: 'WITHHELD',
    reason: 'exception',
  });
});

test('normalised text never outgrows its offsets', () => {
  for (const [name, raw] of HOSTILE) {
    let length = 0;
    try {
      const { text, starts, ends } = normalise(raw);
      assert.equal(starts.length, text.length, name);
      assert.equal(ends.length, text.length, name);
      length = text.length;
    } catch {
      // Withheld: fine here.
    }
    assert.ok(length <= SIZE * 4, name);
  }
});
