import type { IncidentType, QuestionId } from '@deadlatch/catalogue';

/**
 * Standard operating procedures as data: what words point to which type, and which words answer which question.
 * Phrases are written as `match-phrase.ts` reads them, in lower case, over masked text.
 */
export interface TypeCue {
  readonly type: IncidentType;
  /** One of these must stand in a clause … */
  readonly words: readonly string[];
  /** … and one of these after it, at most `within` words later; nothing when the first is enough. */
  readonly follow?: readonly string[];
}

/** How far apart two words of one thought stand: "can't get the front door on Main to lock". */
export const WITHIN = 9;

const DOOR = 'door*|entrance|entry|gate|storefront';
const NOT =
  "won't|wont|can't|cant|cannot|doesn't|doesnt|don't|dont|isn't|isnt|didn't|didnt|not|never|nothing|unable|aint|ain't|refuses|barely|hardly";
const LOCK = 'lock|locks|locked|locking|secure|secured|deadbolt|padlock|bolt';
const BROKEN =
  'broken|broke|busted|stuck|snapped|jammed|bent|missing|gone|loose|failed|fell|falling|dead|off|sheared|drilled|smashed|pried|spins|spinning|turning';

/** Looked at in this order, in the whole text: what cannot be locked comes before what cannot be latched. */
export const TYPE_CUES: readonly TypeCue[] = [
  { type: 'DOOR_CANNOT_SECURE', words: [NOT], follow: [LOCK] },
  {
    type: 'DOOR_CANNOT_SECURE',
    words: ["lock|lock's|locks|deadbolt|padlock|key|cylinder|bolt"],
    follow: [BROKEN, `${NOT} work*|turn*|engage*|catch*|hold*|budge*|throw*|move*|go*|come*|line*`],
  },
  { type: 'DOOR_CANNOT_SECURE', words: [BROKEN], follow: ['lock|deadbolt|padlock|cylinder|key in'] },
  {
    type: 'DOOR_CANNOT_SECURE',
    words: [
      'broke|broken into',
      'break in',
      'kicked in|open',
      'no way to lock|secure',
      `${DOOR} stuck|jammed open`,
    ],
  },
  { type: 'DOOR_CANNOT_SECURE', words: [DOOR], follow: ['off its|the hinge*|track', 'stuck open', 'kicked'] },
  {
    type: 'CLOSER_LEAK_OR_SLAM',
    words: [
      'slam*',
      'closer|closers',
      'bang* shut',
      'shuts|closes|closing too|so|really|way hard|fast|quick*',
    ],
  },
  {
    type: 'CLOSER_LEAK_OR_SLAM',
    words: [DOOR],
    follow: ['leak*', 'oil', 'hit|struck|smacked|clipped', 'bangs|banging'],
  },
  { type: 'CLOSER_LEAK_OR_SLAM', words: ['oil|fluid|leak*'], follow: [DOOR] },
  {
    type: 'DOOR_WONT_LATCH',
    words: [NOT],
    follow: ['latch*', 'clos*|shut*', 'stay|staying closed|shut', 'catch*', 'line* up'],
  },
  {
    type: 'DOOR_WONT_LATCH',
    words: ['latch|strike'],
    follow: [BROKEN, 'misses|missing|misaligned', `${NOT} work*`],
  },
  {
    type: 'DOOR_WONT_LATCH',
    words: [DOOR],
    follow: [
      'pops|popping|pop open',
      'swings|swinging|swing open',
      'blows|blowing|blow open',
      'drags|dragging|sags|sagging|sticks|sticking',
      'ajar',
    ],
  },
];

export interface AnswerCue {
  readonly question: QuestionId;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

const NOBODY = 'nobody|none|noone';
const SOMEBODY =
  'someone|somebody|me|him|her|customer|a|an|my|one|people|shopper|employee|kid|child|guest|our';

/**
 * A phrase inside a longer one of the other kind does not count ("nobody is hurt" holds "is hurt"). When both kinds
 * remain it is `yes`: danger that is spoken of is believed.
 */
export const ANSWER_CUES: readonly AnswerCue[] = [
  {
    question: 'anyone_hurt',
    no: [
      `${NOBODY} hurt|injured`,
      `${NOBODY} is|was|got|been|has hurt|injured`,
      `${NOBODY} has been hurt|injured`,
      'no one hurt|injured',
      'no one is|was|got hurt|injured',
      'no injuries|injury',
      "not|isn't|wasn't hurt|injured",
      'everyone|everybody is|was|is all fine|ok|okay|safe',
      "everyone's|everybody's fine|ok|okay|safe",
    ],
    yes: [
      'is|are|got|was|were|been hurt|injured',
      'injured|injury|injuries',
      'bleeding',
      'ambulance',
      '911',
      'hurt his|her|my|their|a|someone|somebody',
    ],
  },
  {
    question: 'open_to_public',
    no: [
      "we|we're|store|shop|mall|everything are|is|already|now closed",
      "we're closed",
      'we are already|now closed',
      'closed for the day|night|weekend|season',
      'closed to the public',
      "we are|aren't not open",
      "we're|store|aren't not open yet|today|now",
      'not open to the public|customers',
    ],
    yes: [
      "we're|were|we|still|store|stay open",
      'we|store are|is|stays|still open',
      'store is still open',
      'we are still open',
      'open to the public|customers',
      'open right now|now|until|till|for',
      "we|store|we're close|closes|closing in|at|soon",
      'before we close',
      'customers|shoppers are|in|inside|walking|coming|everywhere|still',
      'open 24',
      'always open',
    ],
  },
  {
    question: 'cannot_lock_anything',
    no: [
      'other|second|back|top|bottom|rear door*|lock|locks|one|bolt still|does|do|also lock|locks|works|work',
      'other|second|back|rear door* lock|locks',
      'other|second|top|bottom lock works|holds',
      'can|could lock|close the gate|shutter|grille|inner',
      'we can secure it',
      'roll down gate works',
    ],
    yes: [
      'nothing lock*|secures',
      'nothing will|can lock',
      "can't|cant|cannot|unable lock|secure anything",
      "can't|cant|cannot lock|secure any of|door*",
      'unable to lock anything',
      'no way to lock|secure',
      `none of the other door* lock*`,
      'none of the door* lock*',
    ],
  },
  {
    question: 'hit_someone',
    no: [
      'hit nobody',
      "not|didn't|didnt|hasn't|hasnt|never hit|struck anyone|anybody|someone|somebody",
      'not hit anyone|anybody yet',
      `${NOBODY} was|got|been|has hit|struck|been`,
      'no one was|got|been hit|struck',
      'no one hit',
      `${NOBODY} hit`,
    ],
    yes: [
      `hit|struck|smacked|clipped|knocked ${SOMEBODY}`,
      'was|got|were|been hit|struck|knocked',
      'hit two|three|several',
      'almost hit|took',
    ],
  },
  {
    question: 'fire_or_exit_door',
    no: [
      "not|isn't|isnt a|an|the fire|exit|emergency door|exit",
      "not|isn't|isnt an exit",
      'neither fire nor exit',
      'just an|a office|interior|bathroom|closet door',
    ],
    yes: ['fire door*|exit*|rated', 'exit door*', 'emergency exit*|door*', 'an exit', 'is the exit'],
  },
  {
    question: 'closes_by_itself',
    no: [
      'have|has|need|needs|got to pull|push|shove|slam',
      "not|doesn't|doesnt|won't|wont|never close|shut by itself",
      "not|doesn't|doesnt|won't|wont|never close|shut on its own",
      'by hand',
    ],
    yes: [
      'closes|shuts|closing by itself',
      'closes|shuts on its own',
      'close|shut by itself',
      'close|shut on its own',
    ],
  },
  {
    question: 'exit_blocked',
    no: [
      'exit* is|are clear|open|fine',
      'exit* is|are not blocked',
      'not blocked',
      "isn't|aren't blocked",
      'can still get out',
    ],
    yes: [
      'exit* is|are blocked',
      'blocked exit*',
      'blocks|blocking the|an|our exit*',
      "can't|cant|cannot get|go out",
      'trapped|stuck inside',
      'is blocked',
    ],
  },
];

/** Questions that any words answer: whoever says one of these has stated it. */
export const STATED_CUES: readonly { readonly question: QuestionId; readonly phrases: readonly string[] }[] =
  [
    {
      question: 'which_door',
      phrases: [
        `front|back|rear|side|main|north|south|east|west|left|right|entry|exit|employee|receiving|patio|vestibule|double|sliding|glass|office|bathroom|restroom|stockroom ${DOOR}`,
        'loading|receiving dock',
        `stock|break|store|mens|womens|men's|women's room ${DOOR}`,
        `${DOOR} by|near|next|facing|behind`,
        `${DOOR} in|on|at the front|back|rear|side|left|right|north|south|east|west|corner`,
      ],
    },
    {
      question: 'since_when',
      phrases: [
        'since',
        'ago',
        'yesterday',
        'overnight',
        'last night|week|month|weekend',
        'this morning|afternoon|evening',
        'just now|started|happened',
        'started|happened|broke|noticed today|tonight|earlier',
        'for|about a|two|three|days|weeks|couple|few week*|day*|month*|of|now',
        'all day|week|morning',
      ],
    },
  ];

/** In a clause with one of these nothing is concluded to be safe. */
export const HEDGES: readonly string[] = [
  'not sure',
  'unsure',
  'maybe',
  'might',
  'i|we think|guess|hope',
  "don't|dont know|think",
  'if',
  'unless',
  'whether',
  'supposed',
  'approved by',
];

/** Short answers to a question that was just asked. */
export const BARE_YES: readonly string[] = [
  'yes',
  'yeah',
  'yep',
  'yup',
  'y',
  'yea',
  'correct',
  'it is',
  'it does',
  'it did',
];
export const BARE_NO: readonly string[] = [
  'no',
  'nope',
  'nah',
  'n',
  'negative',
  'it is not',
  "it isn't",
  "it doesn't",
  'it did not',
  "it didn't",
];
export const BARE_UNKNOWN: readonly string[] = [
  'not sure',
  'unsure',
  'no idea',
  "don't|dont|do know",
  'do not know',
  'dunno',
  'no clue',
  "can't|cant|cannot tell|say",
];

/** Types whose danger is told at once, before anything is known. */
export const KEEP_AWAY: ReadonlySet<IncidentType> = new Set<IncidentType>(['CLOSER_LEAK_OR_SLAM']);
