import type { QuestionId } from '@deadlatch/catalogue';
import { AUTO, DOOR } from './type-cues.ts';

/** Which words answer which question. Only what cannot be meant otherwise says that there is no danger. */
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
      "exit* won't|wont|can't|cant|cannot|doesn't|doesnt open",
      "exit door* won't|wont|can't|cant|cannot|doesn't|doesnt open",
      'blocked exit*',
      'blocks|blocking the|an|our exit*',
      "can't|cant|cannot get|go out",
      'trapped|stuck inside',
      'is blocked',
    ],
  },
  {
    question: 'stuck_open_or_closed',
    no: ["not|isn't|isnt stuck"],
    yes: [
      'stuck|jammed|frozen open|closed|shut|halfway|half',
      `${DOOR} is|are|got|gets|keeps stuck|jammed`,
      `${AUTO} ${DOOR} won't|wont|can't|cant|cannot|doesn't|doesnt open|close|move|budge`,
      'stay|stays|keeps open',
    ],
  },
  {
    question: 'only_entrance_stuck',
    no: [
      "not|isn't|isnt the only entrance|door|way",
      'have|has another|other|second entrance|entrances|door|doors',
      'can|still use the other|side|back|front|second door*|entrance*',
      'other|another|second|side entrance|door works|opens',
    ],
    yes: [
      'only entrance|way|door',
      "don't|dont|not have|has another|other|second entrance|entrances|door|doors",
      'nobody|noone|not can|still use the other|side|back|front|second door*|entrance*',
      "nobody|noone|customers can't|cant|can get in",
      'no other entrance|door|way',
      'none|neither of the',
    ],
  },
  {
    question: 'cannot_switch_off',
    no: [
      'i|we|have|already switched|turned|shut it off',
      'it is|was switched|turned off',
      "it's switched|turned off",
      'can|could switch|turn it off',
    ],
    yes: [
      "can't|cant|cannot|unable switch|turn|shut it off",
      "can't|cant|cannot|not be switched|turned|shut off",
      'unable to switch|turn|shut it off',
      'nobody|noone can|could switch|turn it off',
      'no switch',
      'still on|running',
    ],
  },
  {
    question: 'open_to_street',
    no: [
      "not|isn't|isnt open to the street|outside",
      'inside|interior window|glass|pane',
      'we|i|they|police|already boarded|covered it|up',
    ],
    yes: [
      'open to the street|outside|sidewalk',
      'hole in the',
      'wide open',
      'glass|pane|window fell|gone|missing',
      'glass|pane|window is|completely|all out|gone',
      "not|isn't|isnt boarded|covered",
    ],
  },
  {
    question: 'people_near',
    no: [
      'nobody|noone near|around|nearby',
      'nobody is near|around|nearby',
      'no one near|around|nearby',
      'no one is near|around|nearby',
      'area is|was roped|taped|coned|blocked off',
      'roped|taped|coned it|area off',
    ],
    yes: [
      'people|customers|shoppers|kids near|around|nearby|walk|walking',
      'people|customers|shoppers|kids are near|around|walking',
      "not|haven't|isn't roped|taped|coned",
    ],
  },
  {
    question: 'not_safety_glass',
    no: ["is|it's|its tempered|laminated", "is|it's|its safety glass", 'tempered|laminated glass'],
    yes: [
      "not|isn't|isnt safety|tempered|laminated",
      'plate|regular|ordinary glass',
      'big|large|sharp|jagged shards|pieces',
    ],
  },
  {
    question: 'required_exit',
    no: ["not|isn't|isnt a|an required|marked|emergency|fire exit"],
    yes: ['required|marked exit', 'exit sign'],
  },
  {
    question: 'occupied_now',
    no: ['building|store|place is empty', 'nobody|noone inside|here|in'],
    yes: ['people|customers|staff inside|upstairs', 'store|building is full|open|busy|occupied'],
  },
  {
    question: 'label_present',
    no: ['no label|tag', 'label|tag is|was missing|painted|gone', 'missing label|tag'],
    yes: ['has|have a|the label|tag', 'label|tag is there|present'],
  },
  {
    question: 'jammed_open',
    no: ['stuck|jammed closed|shut|down', "not|isn't|isnt stuck|jammed open"],
    yes: ['stuck|jammed|frozen open|up|halfway|half', 'half|halfway open|up'],
  },
  {
    question: 'spring_or_cable_broken',
    no: ['spring*|cable* is|are|look|looks fine|ok|okay|good'],
    yes: [
      'spring*|cable*|chain broke|broken|snapped',
      'spring*|cable*|chain is|are|has broke|broken|snapped|off',
      'broken|snapped spring*|cable*',
    ],
  },
  {
    question: 'vehicle_trapped',
    no: ['no truck|trailer|vehicle|car|van', 'nothing trapped|inside|stuck'],
    yes: [
      'truck|trailer|vehicle|car|van is|are|stuck|trapped stuck|trapped|inside|in|under',
      'truck|trailer|vehicle|car|van stuck|trapped',
    ],
  },
  {
    question: 'no_other_route',
    no: ['can|could|they use the other|side|back|front', 'have|has another|second accessible|ramp|entrance'],
    yes: [
      'no other accessible|way|route|entrance|ramp',
      'no accessible way|route|entrance',
      'only accessible|ramp|wheelchair|ada way|route|entrance',
      "don't|dont|not have|has another|second accessible|ramp|entrance",
    ],
  },
];
