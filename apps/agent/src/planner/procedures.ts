import type { IncidentType, QuestionId } from '@deadlatch/catalogue';
import { DOOR } from './type-cues.ts';

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
    {
      question: 'opening_size',
      phrases: [
        'feet|foot|ft|inches|inch|meters by|x|wide|tall|high',
        'feet|foot|ft|inches|inch|meters',
        'wide and',
      ],
    },
    {
      question: 'deficiency_report',
      phrases: [
        'inspection|report|marshal|inspector says|said|found|wrote|flagged|cited|lists',
        'failed inspection|because',
        'failed the|its|our inspection',
      ],
    },
    {
      question: 'reader_light',
      phrases: [
        'light|led is|shows|stays|blinks|blinking|flashes|flashing|solid',
        'red|green|blue|amber light|led',
        'no light|lights|power',
        'shows|blinks|flashes|beeps red|green|blue|amber',
      ],
    },
    {
      question: 'who_can_enter',
      phrases: [
        'nobody|noone|anybody|anyone|everybody|everyone can|could get|come|walk|enter',
        'no one can get|enter',
        "nobody's badge|card|fob",
        'only managers|manager|some|staff|the',
      ],
    },
    {
      question: 'quote_number',
      phrases: ['quote|proposal|estimate number|no|nr|q*|0*|1*|2*|3*|4*|5*|6*|7*|8*|9*'],
    },
    {
      question: 'who_is_affected',
      phrases: [
        'customer*|employee*|guest*|resident*|people|visitor* in|with|using|on a|wheelchair*|walker*|scooter*',
        'in|with|uses|using a wheelchair|walker|scooter',
        'customers|employees|guests|everybody|everyone who|with',
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
export const KEEP_AWAY: ReadonlySet<IncidentType> = new Set<IncidentType>([
  'CLOSER_LEAK_OR_SLAM',
  'AUTO_SENSOR_SAFETY',
  'GLASS_OR_FRAME_DAMAGE',
  'ROLLING_OR_DOCK_DOOR',
]);
