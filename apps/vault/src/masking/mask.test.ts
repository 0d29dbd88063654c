import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../../test/requirements.ts';
import { shippedVocabulary } from '../testing/word-lists.ts';
import { compileDictionary, type KnownValue } from './dictionary.ts';
import { analyse, createNumbering, type MaskResult, render } from './mask.ts';

const vocabulary = shippedVocabulary();
const KNOWN: readonly KnownValue[] = [
  { kind: 'person', value: 'Maria Lopez-Garcia' },
  { kind: 'person', value: 'Will Young' },
  { kind: 'phone', value: '+15125550123' },
  { kind: 'email', value: 'maria.lopez@shop.example' },
  { kind: 'address', value: '1200 Oak Street, Springfield TX 78701' },
  { kind: 'site', value: 'Riverside Corner Store' },
  { kind: 'code', value: '4412' },
];

function masked(raw: string, known: readonly KnownValue[] = KNOWN): MaskResult {
  return render(
    analyse({ raw, dictionary: compileDictionary(known), vocabulary }),
    createNumbering(new Map()),
  );
}

function released(raw: string): string {
  const result = masked(raw);
  return result.state === 'RELEASED' ? result.text : `withheld: ${result.reason}`;
}

test('what customers write about doors comes out word for word', () => {
  const harmless = [
    "front door won't lock, we close in an hour",
    'The closer leaks oil and the door slams on people, someone could get hurt',
    '2 doors of 3 are stuck, 10 minutes ago, door #2, 36 inch frame, 24v strike, 1st floor',
    'store opens 9:00 - 17:30 on Monday, please come at 8am or 5:30pm',
    'Automatic door stays open to the street, we cannot secure the store tonight!',
    'Schlage L9080 mortise lock, serial number AB12-3345, Von Duprin 99 panic bar and LCN 4040 closer',
    'approved, yes go ahead with the extra $200',
    'NTE is $1,200 or $1500, approved by Store Manager',
    'yes',
    'will you come?',
    'This is the owner. Approved by: corporate. Set NTE: $9,000',
  ];
  for (const text of harmless) assert.equal(released(text), text);
});

test('known values of the account are masked in every form people write them', () => {
  verifies('T5.2');
  const door = 'is at the back door';
  for (const form of [
    'Maria',
    'MARIA',
    'lopez',
    "Maria Lopez-Garcia's",
    'Lopez, Maria',
    'mlopez',
    'marialopez',
    'ｍａｒｉａ',
    'm\u200baria',
    'Mаria',
    'María',
    '&#77;aria',
    'M-A-R-I-A',
    'm a r i a',
    'mraia',
    'lopes',
    'garica',
    'Riverside Corner Store',
  ]) {
    const text = released(`${form} ${door}`);
    assert.match(
      text,
      /^\u27e6(?:PERSON|SITE)_1\u27e7(?:,? ?\u27e6PERSON_2\u27e7)? is at the back door$/,
      form,
    );
  }
});

test('numbers are joined over line breaks, fillers, speech and encodings', () => {
  for (const form of [
    '512-555-0123',
    '512 then\n555 then 0123',
    '(512) 555.0123',
    '+1 512 555 0123',
    '5 1 2 5 5 5 0 1 2 3',
    '512 555 O123',
    'five one two, triple five, zero one two three',
    'five twelve, five fifty five, oh one twenty three',
    '５１２－５５５－０１２３',
    '٥١٢ ٥٥٥ ٠١٢٣',
    '5\ufe0f\u20e31\ufe0f\u20e32 555 0123',
    '512<b>555</b>0123',
    '=35=31=32 555 0123',
    '&#x35;12&nbsp;555&nbsp;0123',
    '> 512\n> 555\n> 0123',
    '512, and then comes 555 and then you say 0123',
  ]) {
    const text = released(`the door is stuck, please call me back at\n${form}`);
    assert.match(text, /\u27e6PHONE_1\u27e7\s*$/, form);
    assert.doesNotMatch(text, /[0-9]{3}/, form);
  }
});

test('shapes with checksums are masked under their own names', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['card 4111 1111 1111 1111 declined', 'card ⟦CARD_1⟧ declined'],
    ['please pay GB29 NWBK 6016 1331 9268 19 today', 'please pay ⟦IBAN_1⟧ today'],
    ['ssn 123-45-6789 on the form', 'ssn ⟦SSN_1⟧ on the form'],
    ['camera at 192.168.1.10 is down', 'camera at ⟦IP_1⟧ is down'],
    ['camera at fe80::1ff:fe23:4567:890a is down', 'camera at ⟦IP_1⟧ is down'],
    ['write to bob@gmail.com please', 'write to ⟦EMAIL_1⟧ please'],
    ['write to bob at gmail dot com please', 'write to ⟦EMAIL_1⟧ please'],
    ['see https://evil.example/x?y=1 and www.shop.example/a', 'see ⟦URL_1⟧ and ⟦URL_2⟧'],
    ['we are at 77 Elm Ave, Suite 4, come in', 'we are at ⟦ADDRESS_1⟧, come in'],
    ['apt 4B is locked', '⟦ADDRESS_1⟧ is locked'],
    ['the zip is 78701 here', 'the zip is ⟦POSTCODE_1⟧ here'],
    ['office in SW1A 1AA is locked', 'office in ⟦POSTCODE_1⟧ is locked'],
    ['born 3/14/1985 he says', 'born ⟦DATE_1⟧ he says'],
    [
      'the gate code is 8812 and the alarm pin 9 9 1 2',
      'the gate code is ⟦CODE_1⟧ and the alarm pin ⟦CODE_2⟧',
    ],
    ['use 411 for the door code', 'use ⟦CODE_1⟧ for the door code'],
    ['password is front door open. thanks', 'password is ⟦PASSWORD_1⟧. thanks'],
    ['set the NTE to 1000000 now', 'set the NTE to ⟦NUMBER_1⟧ now'],
    ['serial number 5125550123 on the lock', 'serial number ⟦PHONE_1⟧ on the lock'],
  ];
  for (const [raw, expected] of cases) assert.equal(released(raw), expected, raw);
});

test('a word outside the vocabulary is never released', () => {
  assert.equal(released('Xavier is waiting at the door'), '⟦UNKNOWN_1⟧ is waiting at the door');
  assert.equal(released('Ask for Brown at the desk'), 'Ask for ⟦PERSON_1⟧ at the desk');
  assert.equal(
    released('Mr. Brown and Zoe Young wait at the door'),
    'Mr. ⟦PERSON_1⟧ and ⟦UNKNOWN_1⟧ ⟦PERSON_2⟧ wait at the door',
  );
  assert.equal(
    released('Hanne I. Kreutz waits at the door'),
    '⟦UNKNOWN_1⟧ ⟦UNKNOWN_2⟧. ⟦UNKNOWN_3⟧ waits at the door',
  );
  assert.equal(
    released('we are at Harjukuja 54 by the door'),
    'we are at ⟦UNKNOWN_1⟧ ⟦NUMBER_1⟧ by the door',
  );
  assert.equal(released('the brown door is stuck'), 'the brown door is stuck');
  assert.equal(released('q7x9k is written on the door'), '⟦UNKNOWN_1⟧ is written on the door');
});

test('equal values share a placeholder and a case goes on counting', () => {
  const analysis = analyse({
    raw: 'Xavier and Quillon wait for xavier at the door',
    dictionary: compileDictionary([]),
    vocabulary,
  });
  const numberOf = createNumbering(new Map([['UNKNOWN quillon', 4]]));
  const result = render(analysis, numberOf);
  assert.equal(
    result.state === 'RELEASED' && result.text,
    '⟦UNKNOWN_5⟧ and ⟦UNKNOWN_4⟧ wait for ⟦UNKNOWN_5⟧ at the door',
  );
});

test('offsets of what was masked point at it in the raw message', () => {
  const raw = 'call &#77;aria on ５１２-555-0123 about the door please';
  const result = masked(raw);
  assert.ok(result.state === 'RELEASED');
  const parts = result.values.map((value) => raw.slice(value.rawStart, value.rawEnd));
  assert.deepEqual(parts, ['&#77;aria', '５１２-555-0123']);
});

test('what cannot be masked with certainty is withheld with a reason', () => {
  const reasonOf = (raw: string) => {
    const result = masked(raw);
    return result.state === 'WITHHELD' ? result.reason : result.text;
  };
  assert.equal(reasonOf('⟦PERSON_1⟧ is here'), 'placeholder_like_input');
  assert.equal(reasonOf('&#x27e6;x&#x27e7; is here'), 'placeholder_like_input');
  assert.equal(reasonOf('person_12 is at the door'), 'placeholder_like_input');
  assert.equal(reasonOf('Дверь не закрывается'), 'mostly_masked');
  assert.equal(reasonOf('Xavier Quillon'), 'mostly_masked');
  assert.equal(reasonOf('   '), 'empty');
  assert.equal(reasonOf('a\u0000b'), 'undecodable');
  assert.equal(reasonOf('the door \ufffd is stuck'), 'undecodable');
  assert.equal(reasonOf('the door \ud800 is stuck'), 'undecodable');
  assert.equal(reasonOf('the door =C3=28 is =\nstuck'), 'undecodable');
  assert.equal(reasonOf('door '.repeat(3_300)), 'oversize');
  const withoutDictionary = analyse({ raw: 'the door is stuck', dictionary: null, vocabulary });
  assert.deepEqual(withoutDictionary, { state: 'WITHHELD', reason: 'missing_dictionary' });
});
