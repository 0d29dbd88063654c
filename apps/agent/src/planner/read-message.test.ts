import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INCIDENT_TYPES, type IncidentType, QUESTION_IDS, type QuestionId } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import { ANSWER_CUES } from './answer-cues.ts';
import { STATED_CUES } from './procedures.ts';
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
  [
    "our automatic door is stuck closed, it's the only entrance",
    'AUTO_OPERATOR_FAULT',
    { stuck_open_or_closed: 'yes', only_entrance_stuck: 'yes', jammed_open: 'no' },
  ],
  [
    "the sliding door won't open, customers can use the side door",
    'AUTO_OPERATOR_FAULT',
    { stuck_open_or_closed: 'yes', only_entrance_stuck: 'no', no_other_route: 'no', which_door: 'stated' },
  ],
  [
    'automatic door closed on a customer this morning, we switched it off',
    'AUTO_SENSOR_SAFETY',
    { cannot_switch_off: 'no', since_when: 'stated' },
  ],
  ["the door sensor isn't working", 'AUTO_SENSOR_SAFETY', {}],
  [
    "sliding door hit my employee and we can't turn it off",
    'AUTO_SENSOR_SAFETY',
    { hit_someone: 'yes', cannot_switch_off: 'yes', which_door: 'stated' },
  ],
  [
    'somebody threw a rock, the front window is shattered, wide open to the sidewalk, people walking by',
    'GLASS_OR_FRAME_DAMAGE',
    { open_to_street: 'yes', people_near: 'yes' },
  ],
  [
    "glass in the vestibule door is cracked, it's tempered, about 3 feet by 7 feet",
    'GLASS_OR_FRAME_DAMAGE',
    { not_safety_glass: 'no', opening_size: 'stated', which_door: 'stated' },
  ],
  [
    "push bar doesn't release, it's not a required exit, exit is clear",
    'EGRESS_OR_PANIC_HARDWARE',
    { exit_blocked: 'no', required_exit: 'no' },
  ],
  [
    "emergency exit won't open and people are inside",
    'EGRESS_OR_PANIC_HARDWARE',
    { fire_or_exit_door: 'yes', exit_blocked: 'yes' },
  ],
  [
    'fire door failed inspection, report says gap too big, the label is missing',
    'FIRE_DOOR_DEFICIENCY',
    { fire_or_exit_door: 'yes', label_present: 'no', deficiency_report: 'stated' },
  ],
  [
    'roll up door is stuck open, spring is broken',
    'ROLLING_OR_DOCK_DOOR',
    { stuck_open_or_closed: 'yes', jammed_open: 'yes', spring_or_cable_broken: 'yes' },
  ],
  ["overhead door won't close, the cable snapped", 'ROLLING_OR_DOCK_DOOR', { spring_or_cable_broken: 'yes' }],
  [
    "badge reader won't unlock the back door, light stays red",
    'ACCESS_CONTROL_STRIKE',
    { reader_light: 'stated', which_door: 'stated' },
  ],
  ["electric strike doesn't release", 'ACCESS_CONTROL_STRIKE', {}],
  ['please replace the hinges, quote 4411', 'HARDWARE_REPLACEMENT', { quote_number: 'stated' }],
  [
    "handicap button doesn't work, a customer in a wheelchair could not get in, no other accessible entrance",
    'ADA_OPERATOR_OR_THRESHOLD',
    { no_other_route: 'yes', who_is_affected: 'stated' },
  ],
  // What cannot be locked comes first, whatever else is named.
  ['the badge reader is dead and nothing locks', 'DOOR_CANNOT_SECURE', { cannot_lock_anything: 'yes' }],
  ["roll down gate won't lock", 'DOOR_CANNOT_SECURE', {}],
  // Named and well, or nobody's door: a person is asked, and nothing is guessed.
  ['the automatic door works fine now', null, {}],
  ['our badge printer is broken', null, {}],
  ['please send me the quote', null, {}],
  ['the glass is dirty', null, {}],
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

test('every type can be heard of, and every question that a type asks can be answered in passing', () => {
  const heard = new Set(TEXTS.map(([, type]) => type));
  for (const type of INCIDENT_TYPES) assert.ok(heard.has(type), type);
  const answered = [...ANSWER_CUES, ...STATED_CUES].map((cue) => cue.question);
  assert.deepEqual([...answered].sort(), [...QUESTION_IDS].sort());
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
    ["it can't be switched off", 'cannot_switch_off', 'yes'],
    ['nobody can turn it off', 'cannot_switch_off', 'yes'],
    ['i think we turned it off', 'cannot_switch_off', undefined],
    ["we don't have another entrance", 'only_entrance_stuck', 'yes'],
    ['nobody can use the side door', 'only_entrance_stuck', 'yes'],
    ['the side entrance is broken too', 'only_entrance_stuck', undefined],
    ['it needs to be boarded up', 'open_to_street', undefined],
    ['not boarded up yet', 'open_to_street', 'yes'],
    ["we haven't taped it off", 'people_near', 'yes'],
    ['it is not tempered glass', 'not_safety_glass', 'yes'],
    ["half open and won't close or open", 'jammed_open', 'yes'],
    ["the door won't open", 'jammed_open', undefined],
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
