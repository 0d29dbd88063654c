import type { Phrase } from '@deadlatch/catalogue';

/** What the planner may know of its turn: typed facts and masked words, re-read after every step. */
export interface TurnView {
  /** The tools this turn may call now; nothing else exists. */
  readonly tools: ReadonlySet<string>;
  readonly ticket: TicketSummary | null;
  /** What the ticket's calendar says; null where it has no say yet. */
  readonly schedule: ScheduleSummary | null;
  /** Masked text of the message that opened the turn; null when it was withheld. */
  readonly message: string | null;
  /** Masked texts of earlier inbound messages, oldest first. */
  readonly earlier: readonly string[];
  /** Commands this turn has carried out, before a crash too. */
  readonly done: ReadonlySet<string>;
  /** Phrases that earlier turns of this conversation sent, oldest first. */
  readonly said: readonly string[];
  /** Whether a command of this turn was refused. */
  readonly isRefused: boolean;
}

export interface TicketSummary {
  readonly state: string;
  readonly type: string | null;
  /** By which version of the type it was triaged. */
  readonly typeVersion: number | null;
  readonly priority: string | null;
  /** Questions that were asked and are not answered. */
  readonly missing: readonly string[];
  readonly answers: Readonly<Record<string, string>>;
  /** By incident type, the version by which a ticket is triaged to whom it is new. */
  readonly inForce: ReadonlyMap<string, number>;
}

export interface ScheduleSummary {
  /** How many offered times can still be taken. */
  readonly open: number;
  /** What the message of this turn chose, as plain code read it. */
  readonly choice: { readonly id: string; readonly kind: 'OPTION' | 'OTHER_TIME' } | null;
}

/** One tool call, or the end of the turn. */
export type Step =
  | { readonly kind: 'call'; readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: 'finish' };

/** One interface for the scripted and the model planner. */
export interface Planner {
  next(view: TurnView): Promise<Step>;
}

export const FINISH: Step = { kind: 'finish' };

export function call(tool: string, input: Readonly<Record<string, unknown>>): Step {
  return { kind: 'call', tool, input };
}

/** @param questions only with `ask_intake_questions`, and then at least one */
export function say(phrase: Phrase, questions?: readonly string[]): Step {
  return call('conversation.reply', questions ? { phrase, questions } : { phrase });
}
