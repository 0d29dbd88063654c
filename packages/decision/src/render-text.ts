import { MAX_QUESTIONS_AT_ONCE, PHRASES, PRIORITIES, STAFF_PHRASES } from '@deadlatch/catalogue';
import { formatUsd, refuse } from '@deadlatch/kernel';
import { MAX_OPTIONS } from '@deadlatch/scheduling';
import type { MessageRow } from './rows.ts';
import {
  OUTCOME_WORDS,
  PHRASE_TEXTS,
  QUESTION_TEXTS,
  RESULT_WORDS,
  type SlotType,
  STAFF_PHRASE_TEXTS,
  STATE_WORDS,
  TEMPLATE_TEXTS,
  type TemplateText,
  type TemplateTexts,
  type TextPattern,
} from './texts.ts';
import { windowWords } from './window-words.ts';

export interface RenderContext {
  /** Who writes, as the customer knows them. */
  readonly senderName: string;
  /** The recipient's own link; null for texts that go without. */
  readonly link: string | null;
}

/** Three segments of a concatenated GSM message are 459 characters; a list of questions may take six. */
const MAX_SMS_LENGTH = 918;
/** The range of money in the kernel. */
const MAX_AMOUNT_CENTS = 100_000_000_000;
/** The part of the GSM 03.38 basic set that every carrier and terminal shows alike. No line breaks, no escapes. */
const GSM_SAFE = /^[A-Za-z0-9 @$!"#%&'()*+,\-./:;<=>?_]*$/;
const REFERENCE = /^DL-[0-9A-Z]{8}$/;
const LINK = /^https?:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?\/[A-Za-z0-9._~/-]{1,200}$/;
const MARK = /\{([a-z_]+)\}/g;

/**
 * The customer's text of an outbound message: a reviewed sentence with committed values in it.
 * @param message its slots are values of the row that the message speaks of, never words of anybody
 * @param texts every version of every template's text; the message says which one
 * @returns one line of characters that every phone shows: sender, sentence, link
 * @throws DispatchError `unavailable` for an unknown template, version or phrase, a slot that is missing, unknown or
 *   outside its grammar, or a text that does not encode: nothing is sent rather than something wrong
 * @invariant no free text: every slot has a grammar, and what does not match is not rendered
 * @source T2.1, T2.6, C.8
 */
export function renderText(
  message: MessageRow,
  context: RenderContext,
  texts: TemplateTexts = TEMPLATE_TEXTS,
): string {
  if (message.direction !== 'OUT' || message.template === null) unrenderable('not an outbound message');
  const pattern = patternOf(message.template, message.template_version, message.slots, texts);
  const body = fill(pattern, message.slots);
  const hasReference = body.includes('DL-') || !Object.hasOwn(message.slots, 'reference');
  const reference = hasReference ? '' : ` Ticket ${slot('reference', message.slots, readReference)}.`;
  const link = context.link === null ? '' : ` ${readLink(context.link)}`;
  return encodeSms(`${readSender(context.senderName)}: ${body}${reference}${link}`);
}

function patternOf(
  template: string,
  version: number | null,
  slots: MessageRow['slots'],
  texts: TemplateTexts,
): TextPattern {
  if (template.startsWith('phrase:')) {
    const phrase = PHRASES.find((p) => template === `phrase:${p}`);
    return (phrase && PHRASE_TEXTS.get(phrase)) ?? unrenderable('unknown phrase');
  }
  if (template.startsWith('staff:')) {
    const phrase = STAFF_PHRASES.find((p) => template === `staff:${p}`);
    return (phrase && STAFF_PHRASE_TEXTS.get(phrase)) ?? unrenderable('unknown phrase');
  }
  // Never by another version: what was said once is said the same again.
  const patterns =
    (version === null ? undefined : texts.get(template)?.get(version)) ??
    unrenderable('unknown template or version');
  if (!isSeveral(patterns)) return patterns;
  const given = Object.keys(slots).filter((name) => name !== 'reference');
  const fits = (pattern: TextPattern) =>
    given.length === Object.keys(pattern.slots).length &&
    given.every((name) => Object.hasOwn(pattern.slots, name));
  return patterns.find(fits) ?? unrenderable('slots of no text');
}

function isSeveral(patterns: TemplateText): patterns is readonly TextPattern[] {
  return Array.isArray(patterns);
}

function fill(pattern: TextPattern, slots: MessageRow['slots']): string {
  const allowed = new Set(['reference', ...Object.keys(pattern.slots)]);
  if (!Object.keys(slots).every((name) => allowed.has(name))) unrenderable('a slot that is not in the text');
  return pattern.text.replace(MARK, (_mark, name: string) => {
    if (name === 'reference') return slot(name, slots, readReference);
    const type = Object.hasOwn(pattern.slots, name) ? pattern.slots[name] : undefined;
    if (type === undefined) return unrenderable('a mark without a type');
    return slot(name, slots, READERS[type]);
  });
}

function slot(name: string, slots: MessageRow['slots'], read: (value: unknown) => string): string {
  if (!Object.hasOwn(slots, name)) unrenderable(`slot ${name} is missing`);
  return read(slots[name]);
}

const READERS: Readonly<Record<SlotType, (value: unknown) => string>> = {
  amount: (value) => {
    const isAmount = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    return isAmount && value <= MAX_AMOUNT_CENTS ? formatUsd(value) : unrenderable('amount');
  },
  priority: (value) => PRIORITIES.find((p) => p === value) ?? unrenderable('priority'),
  state: (value) => wordFor(STATE_WORDS, value, 'state'),
  ticket: readReference,
  outcome: (value) => wordFor(OUTCOME_WORDS, value, 'outcome'),
  result: (value) => wordFor(RESULT_WORDS, value, 'result'),
  window: windowWords,
  windows: (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_OPTIONS) {
      return unrenderable('windows');
    }
    return value.map((one, index) => `${index + 1}: ${windowWords(one)}.`).join(' ');
  },
  questions: (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > MAX_QUESTIONS_AT_ONCE) {
      return unrenderable('questions');
    }
    return value.map((q) => wordFor(QUESTION_TEXTS, q, 'question')).join(' ');
  },
};

function wordFor(words: ReadonlyMap<string, string>, value: unknown, what: string): string {
  return (typeof value === 'string' ? words.get(value) : undefined) ?? unrenderable(what);
}

function readReference(value: unknown): string {
  return typeof value === 'string' && REFERENCE.test(value) ? value : unrenderable('reference');
}

function readLink(link: string): string {
  return LINK.test(link) ? link : unrenderable('link');
}

/** Accents are dropped rather than garbled. */
function readSender(name: string): string {
  const plain = name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .trim();
  return plain.length > 0 && plain.length <= 40 ? plain : unrenderable('sender');
}

function encodeSms(text: string): string {
  if (!GSM_SAFE.test(text) || text.length > MAX_SMS_LENGTH) unrenderable('does not encode');
  return text;
}

function unrenderable(detail: string): never {
  return refuse('unavailable', { detail: `text: ${detail}` });
}
