import type { Answer, IncidentType, QuestionId } from '@deadlatch/catalogue';
import { ANSWER_CUES, STATED_CUES, TYPE_CUES } from './procedures.ts';

/** Typed facts of one message: all that the rest of the planner ever sees of it. */
export interface MessageFacts {
  readonly type: IncidentType | null;
  readonly answers: ReadonlyMap<QuestionId, Answer>;
}

export const NO_FACTS: MessageFacts = { type: null, answers: new Map() };

/**
 * Reads masked text into a closed form. Whatever a text says beyond these facts is not heard: an instruction
 * in it has nowhere to go.
 * @param maskedText released text of one inbound message
 */
export function readMessage(maskedText: string): MessageFacts {
  const text = ` ${normalise(maskedText)} `;
  const has = (phrase: string) => text.includes(` ${phrase} `);
  const cue = TYPE_CUES.find((c) => c.allOf.every((group) => group.some(has)));
  const answers = new Map<QuestionId, Answer>();
  for (const { question, yes, no } of ANSWER_CUES) {
    if (no.some(has)) answers.set(question, 'no');
    else if (yes.some(has)) answers.set(question, 'yes');
  }
  for (const { question, words } of STATED_CUES) {
    if (words.some(has)) answers.set(question, 'stated');
  }
  return { type: cue?.type ?? null, answers };
}

/** Lower case words with single spaces; apostrophes stay, since "won't" is a word of its own. */
function normalise(text: string): string {
  return text
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[^a-z0-9']+/g, ' ')
    .trim();
}
