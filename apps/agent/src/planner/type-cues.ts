import type { IncidentType } from '@deadlatch/catalogue';

/** What words point to which type. Phrases are written as `match-phrase.ts` reads them, in lower case, over masked text. */
export interface TypeCue {
  readonly type: IncidentType;
  /** One of these must stand in a clause … */
  readonly words: readonly string[];
  /** … and one of these after it, at most `WITHIN` words later; nothing when the first is enough. */
  readonly follow?: readonly string[];
}

/** How far apart two words of one thought stand: "can't get the front door on Main to lock". */
export const WITHIN = 9;

export const DOOR = 'door*|entrance|entry|gate|storefront';
const NOT =
  "won't|wont|can't|cant|cannot|doesn't|doesnt|don't|dont|isn't|isnt|didn't|didnt|not|never|nothing|unable|aint|ain't|refuses|barely|hardly";
const LOCK = 'lock|locks|locked|locking|secure|secured|deadbolt|padlock|bolt';
const BROKEN =
  'broken|broke|busted|stuck|snapped|jammed|bent|missing|gone|loose|failed|fell|falling|dead|off|sheared|drilled|smashed|pried|spins|spinning|turning';

const MOVES = 'open*|clos*|go*|come*|roll*|move*|moving|lift*|lower*|budge*|slid*|respond*|work*';
const STUCK = 'stuck|jammed|frozen|dead|broken|off';
export const AUTO = 'automatic|auto|sliding|slider|revolving|electric|motorized';
const OPENS_NOT = `${NOT} work*|read*|unlock*|open*|release*|let*|respond*|buzz*`;
const ROLL_UP = [
  'roll|rolling up|down door*|gate|shutter*',
  'rollup|overhead|coiling|sectional|dock|garage door*|gate',
  'roller|security shutter*|grille',
  'rolling door*|gate|shutter*|grille',
  'shutter|shutters|rollup',
];
/** Looked at in this order, in the whole text: what cannot be locked comes before what cannot be latched. */
export const TYPE_CUES: readonly TypeCue[] = [
  { type: 'DOOR_CANNOT_SECURE', words: [NOT], follow: [LOCK] },
  {
    type: 'ACCESS_CONTROL_STRIKE',
    words: [
      'keypad|maglock|reader',
      'card|badge|fob readers|swipe',
      'access control',
      'electric|electronic strike',
    ],
    follow: [OPENS_NOT, `${STUCK}|offline|down|red|beep*|buzz*`],
  },
  {
    type: 'ACCESS_CONTROL_STRIKE',
    words: ['badge|badges|fob|fobs|keycard|keycards', 'key card|cards|fob|fobs'],
    follow: [OPENS_NOT],
  },
  {
    type: 'DOOR_CANNOT_SECURE',
    words: ["lock|lock's|locks|deadbolt|padlock|key|cylinder|bolt"],
    follow: [BROKEN, `${NOT} work*|turn*|engage*|catch*|hold*|budge*|throw*|move*|go*|come*|line*`],
  },
  { type: 'DOOR_CANNOT_SECURE', words: [BROKEN], follow: ['lock|deadbolt|padlock|cylinder|key in'] },
  {
    type: 'DOOR_CANNOT_SECURE',
    words: ['broke|broken into', 'break in', 'kicked in|open', 'no way to lock|secure'],
  },
  {
    type: 'GLASS_OR_FRAME_DAMAGE',
    words: [
      'glass|pane|window|windows|storefront is|was|got|has|just|cracked|broke|broken|shattered|smashed cracked|broke|broken|shattered|smashed|out',
      'glass|pane|window|windows cracked|broke|broken|shattered|smashed|missing',
      'broken|cracked|shattered|smashed|busted glass|pane|window|windows',
      'shattered',
      'door frame is|was|got bent|cracked|broken|damaged|smashed',
    ],
  },
  {
    type: 'GLASS_OR_FRAME_DAMAGE',
    words: ['glass|pane|window'],
    follow: ['is|was|got|has|just cracked|shattered|smashed'],
  },
  {
    type: 'ROLLING_OR_DOCK_DOOR',
    words: ROLL_UP,
    follow: [
      `${NOT} ${MOVES}`,
      STUCK,
      'off the|its track*',
      'spring*|cable*|chain broke|broken|snapped|is|came',
    ],
  },
  {
    type: 'ROLLING_OR_DOCK_DOOR',
    words: ['spring*|cable* on|of the', `${NOT} ${MOVES}`, 'broke*|snapped spring|cable'],
    follow: ROLL_UP,
  },
  {
    type: 'AUTO_SENSOR_SAFETY',
    words: ['sensor|sensors', `${AUTO} door*|entrance`],
    follow: [
      'hit|hits|struck|strikes|pinched|touched|caught|knocked a|an|my|our|me|him|her|someone|somebody|people|customer*|kid*|child*',
      'close|closes|closed|closing|shuts|shut on|onto people|someone|somebody|me|him|her|customer*|a|an|our|kid*',
    ],
  },
  {
    type: 'AUTO_SENSOR_SAFETY',
    words: ['sensor|sensors'],
    follow: [`${NOT} work*|see*|detect*|pick*|react*|respond*|stop*`, STUCK],
  },
  {
    type: 'ADA_OPERATOR_OR_THRESHOLD',
    words: [
      'handicap|handicapped|ada|wheelchair|accessible|accessibility|disabled button*|push*|plate*|opener|operator|door*|entrance',
      'threshold',
      'wheelchair|wheelchairs',
    ],
    follow: [
      `${NOT} work*|open*|respond*|get*|push*`,
      `${STUCK}|loose|raised|high|lifted|lip`,
      'too heavy|hard|high',
    ],
  },
  {
    type: 'AUTO_OPERATOR_FAULT',
    words: [`${AUTO} door*|entrance|doors`, 'door operator', 'slider|sliders'],
    follow: [
      `${NOT} ${MOVES}`,
      STUCK,
      'stay|stays|keeps|staying open*|clos*',
      'halfway|slow|slowly|grinding',
    ],
  },
  {
    type: 'EGRESS_OR_PANIC_HARDWARE',
    words: ['panic|crash|push|exit bar*|device*|hardware', 'panic hardware'],
    follow: [`${NOT} release*|open*|push*|work*|unlatch*|retract*|come*|go*`, `${STUCK}|loose|fell|falling`],
  },
  {
    type: 'EGRESS_OR_PANIC_HARDWARE',
    words: ['emergency|fire exit*', 'exit door*'],
    follow: [`${NOT} open*|release*|unlatch*`, 'stuck|jammed|frozen shut|closed'],
  },
  {
    type: 'FIRE_DOOR_DEFICIENCY',
    words: ['fire door*', 'fire rated door*', 'fire marshal|inspector|inspection'],
    follow: [
      'fail*|flagged|violation*|deficien*|cited|wrote',
      'inspection|report|label|tag',
      'gap*|clearance',
    ],
  },
  {
    type: 'FIRE_DOOR_DEFICIENCY',
    words: ['fail*|deficien*|violation*'],
    follow: ['fire door*', 'fire rated'],
  },
  {
    type: 'HARDWARE_REPLACEMENT',
    words: ['quote|proposal|estimate', 'replace|install|replacement|swap'],
    follow: [
      'replace*|install*|swap*',
      'quote|proposal number|no|nr|from|you|we|is|was|0*|1*|2*|3*|4*|5*|6*|7*|8*|9*',
    ],
  },
  { type: 'DOOR_CANNOT_SECURE', words: [`${DOOR} stuck|jammed open`] },
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
