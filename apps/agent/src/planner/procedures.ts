import type { IncidentType, QuestionId } from '@deadlatch/catalogue';

/**
 * Standard operating procedures as data: what words point to which type, and which words answer which question.
 * Words are matched whole, in lower case, over masked text. More specific types come first.
 */
export interface TypeCue {
  readonly type: IncidentType;
  /** Every group must have at least one of its words in the text. */
  readonly allOf: readonly (readonly string[])[];
}

const DOOR = ['door', 'doors', 'entrance', 'gate', 'storefront'];
const NOT = ["won't", 'wont', "can't", 'cannot', 'cant', "doesn't", 'doesnt', 'not', 'never', 'unable'];

export const TYPE_CUES: readonly TypeCue[] = [
  { type: 'DOOR_CANNOT_SECURE', allOf: [NOT, ['lock', 'secure', 'locked', 'deadbolt']] },
  {
    type: 'DOOR_CANNOT_SECURE',
    allOf: [
      ['lock', 'deadbolt', 'key'],
      ['broken', 'stuck', 'snapped', 'jammed', 'broke'],
    ],
  },
  { type: 'CLOSER_LEAK_OR_SLAM', allOf: [['slams', 'slamming', 'slam', 'closer', 'leaking', 'leaks']] },
  { type: 'DOOR_WONT_LATCH', allOf: [DOOR, NOT, ['latch', 'close', 'shut', 'latching', 'closing']] },
  {
    type: 'DOOR_WONT_LATCH',
    allOf: [
      ['latch', 'strike'],
      ['broken', 'stuck', 'misses', 'loose'],
    ],
  },
];

export interface AnswerCue {
  readonly question: QuestionId;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

/** Whole phrases; `no` is looked for first, because "nobody is hurt" contains "hurt". */
export const ANSWER_CUES: readonly AnswerCue[] = [
  {
    question: 'anyone_hurt',
    no: [
      'nobody is hurt',
      'nobody hurt',
      'no one is hurt',
      'no one hurt',
      'noone hurt',
      'nobody was hurt',
      'no injuries',
    ],
    yes: ['is hurt', 'got hurt', 'was hurt', 'injured', 'bleeding', 'ambulance'],
  },
  {
    question: 'open_to_public',
    no: ['we are closed', "we're closed", 'store is closed', 'not open', 'closed to the public'],
    yes: ['we are open', "we're open", 'we close in', 'customers are', 'store is open', 'open to the public'],
  },
  {
    question: 'cannot_lock_anything',
    no: [
      'other doors lock',
      'other door locks',
      'can lock the gate',
      'second lock works',
      'we can secure it',
    ],
    yes: ['nothing locks', 'cannot lock anything', "can't lock anything", 'no way to lock'],
  },
  {
    question: 'hit_someone',
    no: ['hit nobody', 'did not hit anyone'],
    yes: ['hit someone', 'hit a customer', 'hit a kid'],
  },
  {
    question: 'fire_or_exit_door',
    no: ['not a fire door', 'not an exit'],
    yes: ['fire door', 'exit door', 'emergency exit'],
  },
  {
    question: 'closes_by_itself',
    no: ['have to pull it', 'does not close by itself'],
    yes: ['closes by itself'],
  },
  {
    question: 'exit_blocked',
    no: ['exit is clear'],
    yes: ['exit is blocked', 'blocked exit', 'cannot get out'],
  },
];

/** Which door and since when are words, not facts: whoever writes any of these has stated them. */
export const STATED_CUES: readonly { readonly question: QuestionId; readonly words: readonly string[] }[] = [
  {
    question: 'which_door',
    words: ['front', 'back', 'rear', 'side', 'main', 'north', 'south', 'east', 'west', 'loading'],
  },
  {
    question: 'since_when',
    words: ['today', 'yesterday', 'morning', 'evening', 'tonight', 'since', 'week', 'hour'],
  },
];

/** Types whose danger is told at once, before anything is known. */
export const KEEP_AWAY: ReadonlySet<IncidentType> = new Set<IncidentType>(['CLOSER_LEAK_OR_SLAM']);
