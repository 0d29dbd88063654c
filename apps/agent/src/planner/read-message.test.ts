import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncidentType, QuestionId } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import { readMessage, readReply } from './read-message.ts';

/** What store managers write and say, and all that may be heard of it. */
const TEXTS: readonly (readonly [string, IncidentType | null, Readonly<Record<string, string>>])[] = [
  [
    "front door won't lock, we close in an hour",
    'DOOR_CANNOT_SECURE',
    { open_to_public: 'yes', which_door: 'stated' },
  ],
  [
    'Front door wont lock we close in an hour',
    'DOOR_CANNOT_SECURE',
    { open_to_public: 'yes', which_door: 'stated' },
  ],
  ['the front door will not lock', 'DOOR_CANNOT_SECURE', { which_door: 'stated' }],
  [
    'hi its the store we cant get the back door to lock for the night',
    'DOOR_CANNOT_SECURE',
    { which_door: 'stated' },
  ],
  ['Key broke off in the lock on the main entrance!!', 'DOOR_CANNOT_SECURE', { which_door: 'stated' }],
  ['deadbolt is stuck and the store is closed', 'DOOR_CANNOT_SECURE', { open_to_public: 'no' }],
  [
    'Our lock is busted. Other doors lock fine. Nobody is hurt.',
    'DOOR_CANNOT_SECURE',
    { cannot_lock_anything: 'no', anyone_hurt: 'no' },
  ],
  [
    'nothing locks, we have no way to secure the store',
    'DOOR_CANNOT_SECURE',
    { cannot_lock_anything: 'yes' },
  ],
  [
    'Somebody broke into the store last night and the side door was kicked in',
    'DOOR_CANNOT_SECURE',
    { which_door: 'stated', since_when: 'stated' },
  ],
  ['the lock just spins when i turn the key', 'DOOR_CANNOT_SECURE', {}],
  [
    'um yeah so the lock on the front entrance it doesnt catch anymore and customers are still in here',
    'DOOR_CANNOT_SECURE',
    { open_to_public: 'yes', which_door: 'stated' },
  ],
  ['entrance door is off its hinges', 'DOOR_CANNOT_SECURE', {}],
  ['unable to lock up tonight', 'DOOR_CANNOT_SECURE', {}],
  ["Door won't close all the way", 'DOOR_WONT_LATCH', {}],
  [
    "back door doesn't latch since yesterday, you have to pull it",
    'DOOR_WONT_LATCH',
    { which_door: 'stated', since_when: 'stated', closes_by_itself: 'no' },
  ],
  [
    'The rear door keeps popping open. Exit is clear.',
    'DOOR_WONT_LATCH',
    { which_door: 'stated', exit_blocked: 'no' },
  ],
  [
    'side door not latching started this morning',
    'DOOR_WONT_LATCH',
    { which_door: 'stated', since_when: 'stated' },
  ],
  ['the front door wont stay shut it blows open with the wind', 'DOOR_WONT_LATCH', { which_door: 'stated' }],
  ['latch is broken on the office door', 'DOOR_WONT_LATCH', { which_door: 'stated' }],
  ['door drags on the floor and does not shut on its own', 'DOOR_WONT_LATCH', { closes_by_itself: 'no' }],
  ['strike plate is loose, the exit is blocked', 'DOOR_WONT_LATCH', { exit_blocked: 'yes' }],
  ['Door slams really hard', 'CLOSER_LEAK_OR_SLAM', {}],
  ['the closer on the back door is leaking oil', 'CLOSER_LEAK_OR_SLAM', { which_door: 'stated' }],
  ['there is oil dripping from the arm above the door', 'CLOSER_LEAK_OR_SLAM', {}],
  [
    'front door shuts too fast and hit a customer yesterday',
    'CLOSER_LEAK_OR_SLAM',
    { hit_someone: 'yes', which_door: 'stated', since_when: 'stated' },
  ],
  [
    'emergency exit slams, nobody got hit',
    'CLOSER_LEAK_OR_SLAM',
    { hit_someone: 'no', fire_or_exit_door: 'yes' },
  ],
  [
    "the closer came off, it's not a fire door, didn't hit anyone",
    'CLOSER_LEAK_OR_SLAM',
    { hit_someone: 'no', fire_or_exit_door: 'no' },
  ],
  ['hello', null, {}],
  ['when is the technician coming', null, {}],
  ['the ice machine is making a noise', null, {}],
  ['yes approve it', null, {}],
];

test('realistic texts are read into typed facts and nothing is invented', () => {
  for (const [text, type, answers] of TEXTS) {
    const facts = readMessage(text);
    assert.deepEqual({ type: facts.type, ...Object.fromEntries(facts.answers) }, { type, ...answers }, text);
  }
});

test('no danger is talked away by words that only look like it', () => {
  verifies('C.0', 'T1.4');
  const cases: readonly (readonly [string, QuestionId, string | undefined])[] = [
    ['the door will not open', 'open_to_public', undefined],
    ['the lock does not open', 'open_to_public', undefined],
    ['none of the other doors lock', 'cannot_lock_anything', 'yes'],
    ["the other doors don't lock", 'cannot_lock_anything', undefined],
    ['nobody was hurt yesterday but today a kid got hurt', 'anyone_hurt', 'yes'],
    ['nobody is hurt. Actually my coworker is bleeding', 'anyone_hurt', 'yes'],
    ['i think nobody is hurt', 'anyone_hurt', undefined],
    ['not sure if the store is closed', 'open_to_public', undefined],
    ['is anyone hurt?', 'anyone_hurt', undefined],
    ['it hit nobody, then it hit a customer', 'hit_someone', 'yes'],
    ['the exit is not blocked', 'exit_blocked', 'no'],
    ['this exit is blocked', 'exit_blocked', 'yes'],
    ["i don't know if it is a fire door", 'fire_or_exit_door', 'yes'],
  ];
  for (const [text, question, answer] of cases) {
    assert.equal(readMessage(text).answers.get(question), answer, text);
  }
});

test('masked words and strange bytes say nothing', () => {
  for (const text of ['⟦PERSON_1⟧ ⟦UNKNOWN_2⟧', '', ' ', '…', '\u0000\uffff', '|*', "' ' '"]) {
    assert.deepEqual(readMessage(text), { type: null, answers: new Map() }, JSON.stringify(text));
  }
  assert.equal(readMessage('front ⟦UNKNOWN_1⟧ door won’t lock').type, 'DOOR_CANNOT_SECURE');
});

test('the longest text the vault releases is read at once', () => {
  const text = "door won't the lock hit a customer if ".repeat(430).slice(0, 16_000);
  assert.equal(readMessage(text).type, 'DOOR_CANNOT_SECURE');
});

test('a reply answers what was asked and nothing else', () => {
  const both: readonly QuestionId[] = ['hit_someone', 'fire_or_exit_door'];
  const cases: readonly (readonly [string, readonly QuestionId[], Readonly<Record<string, string>>])[] = [
    ['no', ['hit_someone'], { hit_someone: 'no' }],
    ['Nope, thank god', ['hit_someone'], { hit_someone: 'no' }],
    ['yeah it did', ['hit_someone'], { hit_someone: 'yes' }],
    ['no idea', ['hit_someone'], { hit_someone: 'unknown' }],
    ['not sure', both, { hit_someone: 'unknown', fire_or_exit_door: 'unknown' }],
    ['no', both, {}],
    ['it hit nobody and its an exit door', both, { hit_someone: 'no', fire_or_exit_door: 'yes' }],
    ['the one next to the bakery', ['which_door'], { which_door: 'stated' }],
    ['nobody is hurt', ['hit_someone'], {}],
    ['hello?', ['hit_someone'], {}],
    ['no', [], {}],
    ['', ['which_door'], {}],
  ];
  for (const [text, asked, answers] of cases) {
    assert.deepEqual(Object.fromEntries(readReply(text, asked)), answers, text);
  }
});
