import type { Answer, IncidentType, QuestionId } from '@deadlatch/catalogue';
import { ANSWER_CUES } from './answer-cues.ts';
import { clausesOf, findPhrase, hasPhrase, type Span } from './match-phrase.ts';
import { BARE_NO, BARE_UNKNOWN, BARE_YES, HEDGES, STATED_CUES } from './procedures.ts';
import { TYPE_CUES, type TypeCue, WITHIN } from './type-cues.ts';

/** Typed facts of one message: all that the rest of the planner ever sees of it. */
export interface MessageFacts {
  readonly type: IncidentType | null;
  readonly answers: ReadonlyMap<QuestionId, Answer>;
}

type Words = readonly string[];

/**
 * Reads masked text into a closed form. Whatever a text says beyond these facts is not heard: an instruction
 * in it has nowhere to go.
 * @param maskedText released text of one inbound message
 * @source T1.4, T1.5
 */
export function readMessage(maskedText: string): MessageFacts {
  const clauses = clausesOf(maskedText);
  const cue = TYPE_CUES.find((c) => clauses.some((words) => isCued(words, c)));
  const answers = new Map<QuestionId, Answer>();
  for (const { question, yes, no } of ANSWER_CUES) {
    const heard = clauses.map((words) => yesOrNo(words, yes, no));
    if (heard.includes('yes')) answers.set(question, 'yes');
    else if (heard.includes('no')) answers.set(question, 'no');
  }
  for (const { question, phrases } of STATED_CUES) {
    if (clauses.some((words) => phrases.some((p) => hasPhrase(words, p)))) answers.set(question, 'stated');
  }
  return { type: cue?.type ?? null, answers };
}

/**
 * Reads a text as the answer to questions that were asked: a bare yes or no answers the only open one, not knowing
 * answers them all, and any words answer a question that asks for words.
 * @param asked what is open; nothing else is answered
 */
export function readReply(maskedText: string, asked: readonly QuestionId[]): ReadonlyMap<QuestionId, Answer> {
  const said = readMessage(maskedText).answers;
  const answers = new Map([...said].filter(([question]) => asked.includes(question)));
  const open = asked.filter((question) => !answers.has(question));
  const [first] = clausesOf(maskedText);
  const [only] = open;
  if (first === undefined || only === undefined) return answers;
  const isOfWords = (question: QuestionId) => STATED_CUES.some((cue) => cue.question === question);
  const starts = (phrases: readonly string[]) =>
    phrases.some((phrase) => findPhrase(first, phrase).some((span) => span.from === 0));
  if (BARE_UNKNOWN.some((phrase) => hasPhrase(first, phrase))) {
    for (const question of open) answers.set(question, 'unknown');
  } else if (open.length > 1) {
    return answers;
  } else if (isOfWords(only)) {
    answers.set(only, 'stated');
  } else if (answers.size === 0 && starts(BARE_YES)) {
    answers.set(only, 'yes');
  } else if (answers.size === 0 && starts(BARE_NO) && !isHedged(first)) {
    answers.set(only, 'no');
  }
  return answers;
}

function isCued(words: Words, { words: first, follow }: TypeCue): boolean {
  const starts = first.flatMap((phrase) => findPhrase(words, phrase));
  if (follow === undefined) return starts.length > 0;
  const ends = follow.flatMap((phrase) => findPhrase(words, phrase));
  return starts.some((a) => ends.some((b) => b.from >= a.to && b.from - a.to < WITHIN));
}

function yesOrNo(words: Words, yes: readonly string[], no: readonly string[]): 'yes' | 'no' | null {
  const spans = (phrases: readonly string[]) => phrases.flatMap((phrase) => findPhrase(words, phrase));
  const [yeses, noes] = [spans(yes), spans(no)];
  const isFree = (span: Span, others: readonly Span[]) => !others.some((other) => isInside(span, other));
  if (yeses.some((span) => isFree(span, noes))) return 'yes';
  return noes.some((span) => isFree(span, yeses)) && !isHedged(words) ? 'no' : null;
}

function isInside(inner: Span, outer: Span): boolean {
  return outer.from <= inner.from && inner.to <= outer.to && outer.to - outer.from > inner.to - inner.from;
}

function isHedged(words: Words): boolean {
  return HEDGES.some((hedge) => hasPhrase(words, hedge));
}
