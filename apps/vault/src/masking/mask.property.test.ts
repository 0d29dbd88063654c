import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import { shippedVocabulary } from '../testing/word-lists.ts';
import { compileDictionary } from './dictionary.ts';
import { analyse, comparable, createNumbering, render } from './mask.ts';

const vocabulary = shippedVocabulary();
const PLACEHOLDER = /\u27e6[A-Z]+_[0-9]+\u27e7/g;

const lower = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz');
/** Names that are no words of the language: for those even a single word must never survive. */
const name = fc.string({ unit: lower, minLength: 4, maxLength: 10 }).filter((word) => !vocabulary.has(word));
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
const subscriber = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 7, maxLength: 7 });
const phone = subscriber.map((digits) => `512${digits}`);

const FULL_WIDTH_OFFSET = 0xfee0;
const LOOKALIKE = new Map([...'aceopxy'].map((ch, at) => [ch, 'асеорху'[at] ?? ch]));
const SPOKEN = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const fullWidth = (text: string) =>
  [...text].map((ch) => String.fromCodePoint((ch.codePointAt(0) ?? 0) + FULL_WIDTH_OFFSET)).join('');

/** The ways a name is disguised, by accident or on purpose. */
const DISGUISES: readonly ((first: string, last: string) => string)[] = [
  (first, last) => `${capital(first)} ${capital(last)}`,
  (first, last) => `${last}, ${first}`,
  (first, last) => `${first}${last}`,
  (first, last) => `${first.charAt(0)}${last}`,
  (first, last) => `${first} ${last}`.toUpperCase(),
  (first, last) => `${fullWidth(first)} ${last}`,
  (first, last) => `${[...first].join('\u200b')} ${last}`,
  (first, last) => `${[...first].map((ch) => LOOKALIKE.get(ch) ?? ch).join('')} ${last}`,
  (first, last) => `${[...first].map((ch) => `&#${ch.charCodeAt(0)};`).join('')} ${last}`,
  (first, last) => `${[...first].join(' ')} ${[...last].join('-')}`,
  (first, last) => `${first}'s ${last}`,
  (first, last) => `${first.slice(0, 2)}<b>${first.slice(2)}</b> ${last}`,
  (first, last) => `${[...first].map((ch) => `${ch}\u0301`).join('')} ${last}`,
];
const DIGIT_DISGUISES: readonly ((digits: string) => string)[] = [
  (digits) => digits,
  (digits) => `+1 (${digits.slice(0, 3)}) ${digits.slice(3, 6)}-${digits.slice(6)}`,
  (digits) => [...digits].join(' '),
  (digits) => [...digits].map((digit) => SPOKEN[Number(digit)]).join(' '),
  (digits) => `${digits.slice(0, 3)} then\n${digits.slice(3, 6)} then ${digits.slice(6)}`,
  (digits) => fullWidth(digits),
  (digits) => digits.replaceAll('0', 'O'),
  (digits) => [...digits].map((digit) => `=3${digit}`).join(''),
  (digits) => `${digits.slice(0, 5)}\u200d${digits.slice(5)}`,
  (digits) => [...digits].map((digit) => `&#x3${digit};`).join(''),
];

function releasedText(raw: string, known: Parameters<typeof compileDictionary>[0]): string {
  const result = render(
    analyse({ raw, dictionary: compileDictionary(known), vocabulary }),
    createNumbering(new Map()),
  );
  return result.state === 'RELEASED' ? result.text.replaceAll(PLACEHOLDER, ' | ') : '';
}

const FRAME = 'please come to the store, the front door is stuck and';
const OPENING = 'wants the technician to look at the closer as well';

test('no name on file survives in any disguise', () => {
  verifies('T5.2');
  fc.assert(
    fc.property(name, name, fc.nat(DISGUISES.length - 1), (first, last, pick) => {
      const disguise = DISGUISES[pick]?.(first, last) ?? '';
      const text = releasedText(`${FRAME} ${disguise} ${OPENING}`, [
        { kind: 'person', value: `${capital(first)} ${capital(last)}` },
      ]);
      assert.notEqual(text, '', 'released');
      const words = text.toLowerCase().split(/[^a-z]+/);
      assert.ok(!words.includes(first) && !words.includes(last), text);
      assert.ok(!comparable(text).includes(first + last), text);
    }),
    { numRuns: 400 },
  );
});

test('no number on file survives in any disguise', () => {
  fc.assert(
    fc.property(phone, fc.nat(DIGIT_DISGUISES.length - 1), (digits, pick) => {
      const disguise = DIGIT_DISGUISES[pick]?.(digits) ?? '';
      const text = releasedText(`${FRAME} ${disguise} ${OPENING}`, [{ kind: 'phone', value: `+1${digits}` }]);
      assert.doesNotMatch(text, /[0-9]/, text);
      for (const word of SPOKEN) assert.ok(!text.includes(word), text);
    }),
    { numRuns: 400 },
  );
});

test('any input ends in a decision, and what is released is ASCII and placeholders', () => {
  const dictionary = compileDictionary([{ kind: 'person', value: 'Maria Lopez' }]);
  const noisy = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(...'<>&;=#@.:-/ 015aoOIl\n⟦⟧"\'_'), maxLength: 300 }),
    fc
      .array(fc.constantFrom('door', 'is', 'Maria', '512', '&#', '=41', '<b', '>', '\n', 'dot', 'com', '@'), {
        maxLength: 80,
      })
      .map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(noisy, (raw) => {
      const analysis = analyse({ raw, dictionary, vocabulary });
      const result = render(analysis, createNumbering(new Map()));
      if (result.state === 'WITHHELD') return;
      assert.match(result.text.replaceAll(PLACEHOLDER, ''), /^[\n\x20-\x7e]*$/);
      assert.doesNotMatch(result.text, /maria|lopez/i);
      let last = 0;
      for (const value of result.values) {
        assert.ok(value.rawStart < value.rawEnd && value.rawEnd <= raw.length);
        assert.ok(value.rawStart >= last);
        last = value.rawStart;
      }
    }),
    { numRuns: 1_000 },
  );
});

test('text that is masked already is withheld, never masked twice', () => {
  fc.assert(
    fc.property(name, (word) => {
      const once = render(
        analyse({ raw: `the door is stuck says ${word}`, dictionary: compileDictionary([]), vocabulary }),
        createNumbering(new Map()),
      );
      assert.ok(once.state === 'RELEASED');
      assert.deepEqual(analyse({ raw: once.text, dictionary: compileDictionary([]), vocabulary }), {
        state: 'WITHHELD',
        reason: 'placeholder_like_input',
      });
    }),
    { numRuns: 50 },
  );
});
