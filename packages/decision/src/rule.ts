import type { AgentPair, Assurance, CommandEntry, Membership, PersonRole } from '@deadlatch/catalogue';
import type { Caller } from './caller.ts';
import type { Answer, Changes, EventDraft } from './changes.ts';
import type { Facts } from './facts.ts';
import type { SuggestionRow, TicketRow } from './rows.ts';
import type { DecisionTools } from './tools.ts';

/** As what the caller passed the gate: one grant or one pair, never a sum of several. */
export type Acting =
  | { readonly kind: 'person'; readonly role: PersonRole; readonly membership: Membership }
  | { readonly kind: 'service'; readonly role: 'gateway' | 'system' }
  /** Whoever holds the secret of a link. */
  | { readonly kind: 'link' }
  | { readonly kind: 'agent'; readonly pair: AgentPair };

/** What a rule decides from. */
export interface RuleContext<Input = unknown> {
  readonly entry: CommandEntry;
  readonly caller: Caller;
  readonly facts: Facts;
  readonly tools: DecisionTools;
  readonly acting: Acting;
  /** The id in the path. */
  readonly targetId: string | null;
  /** Already matched by the command's schema. */
  readonly input: Input;
  /** Database time in milliseconds, and as text. */
  readonly now: number;
  readonly nowText: string;
  /** Decides what an agent suggested as if it were asked now. */
  readonly again: (suggestion: SuggestionRow) => Outcome;
}

/** What a rule answers; effects, outbox rows and the answer's ticket are derived from the changes. */
export interface Outcome {
  readonly changes: Changes;
  readonly details?: EventDraft['details'];
  readonly result?: Answer['result'];
  /** Only where nothing changes and the answer is still about a ticket. */
  readonly answersTicket?: TicketRow;
}

/**
 * One command's logic. Every part refuses by throwing `DispatchError`; anything else that is thrown is a refusal
 * with `unavailable`.
 */
export interface Rule<Input = unknown> {
  /** State guards beyond the ticket's edges; runs before policies are asked. */
  readonly guard?: (context: RuleContext<Input>) => void;
  /** The guard looks at the body, so it cannot say anything before there is one. */
  readonly guardsInput?: true;
  /** Whether the acting person took part in what is to be judged. Asked only where a policy forbids it. */
  readonly isInvolved?: (context: RuleContext<Input>) => boolean;
  /** Proof above the catalogue's minimum. */
  readonly proof?: (context: RuleContext<Input>) => Assurance;
  readonly run: (context: RuleContext<Input>) => Outcome;
}

/** A rule under its command's name; the input's type is the author's promise, the schema's match is proven. */
export type NamedRule = readonly [command: string, rule: Rule];

export function rule<Input>(command: string, definition: Rule<Input>): NamedRule {
  return [command, definition as Rule];
}
