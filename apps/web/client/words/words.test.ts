import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVIDENCE_KEYS, INCIDENT_TYPES, PHOTO_KEYS, QUESTION_IDS, TEST_KEYS } from '@deadlatch/catalogue';
import { CHOICE_WORDS } from './commands.ts';
import { choiceWords } from './plain.ts';
import { INCIDENT_WORDS, QUESTION_WORDS } from './states.ts';

test('every type, question, test and evidence key of the catalogue has its words', () => {
  for (const type of INCIDENT_TYPES) assert.ok(Object.hasOwn(INCIDENT_WORDS, type), type);
  for (const question of QUESTION_IDS) assert.ok(Object.hasOwn(QUESTION_WORDS, question), question);
  const named = EVIDENCE_KEYS.filter((key) => !PHOTO_KEYS.includes(key));
  for (const key of [...TEST_KEYS, ...named]) assert.ok(Object.hasOwn(CHOICE_WORDS, key), key);
  for (const key of PHOTO_KEYS) assert.match(choiceWords(key), /^(Before|Change|After): [a-z][a-z ]+$/, key);
  assert.equal(choiceWords('test.gap'), 'Gap (mm)');
});

test('no word stands for something that is gone', () => {
  const known = new Set<string>(QUESTION_IDS);
  for (const question of Object.keys(QUESTION_WORDS)) assert.ok(known.has(question), question);
});
