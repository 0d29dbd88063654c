import { formatUsd } from '@deadlatch/kernel';
import { CHOICE_WORDS } from '../words/commands.ts';
import { T } from '../words/pages.ts';
import { choiceWords } from '../words/plain.ts';
import {
  APPROVAL_KIND_WORDS,
  INCIDENT_WORDS,
  OUTCOME_WORDS,
  PRIORITY_WORDS,
  QUESTION_WORDS,
  STATE_WORDS,
} from '../words/states.ts';

const TABLES: readonly Readonly<Record<string, string>>[] = [
  STATE_WORDS,
  PRIORITY_WORDS,
  INCIDENT_WORDS,
  APPROVAL_KIND_WORDS,
  OUTCOME_WORDS,
  QUESTION_WORDS,
];
/** Words of closed sets of ours; ids, part numbers and the like are shown as they are. */
const CODE_WORD = /^[A-Z]{2,}(_[A-Z]+)*$/;
const KEY_WORD = /^(photo|test|note|record|signature)(\.[a-z0-9_]+)+$/;

/** What the trail noted, for people: dollars for cents, words for codes, ids as they are. */
export function valueWords(name: string, value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.map((item) => valueWords(name, item)).join(', ') || '–';
  if (typeof value === 'boolean') return value ? T.yes : T.no;
  if (typeof value === 'number') return name.endsWith('_cents') ? formatUsd(value) : String(value);
  if (typeof value === 'object') return JSON.stringify(value);
  const text = String(value);
  const table = TABLES.find((words) => Object.hasOwn(words, text));
  if (table) return table[text] ?? text;
  return CODE_WORD.test(text) || KEY_WORD.test(text) || Object.hasOwn(CHOICE_WORDS, text)
    ? choiceWords(text)
    : text;
}
