import { type CommandEntry, findCommand } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { assemble } from './assemble.ts';
import type { Caller } from './caller.ts';
import { requirePermission } from './gate/ask-policy.ts';
import { requireGrant } from './gate/grant.ts';
import { requireTicketOfTurn } from './gate/membership.ts';
import { requireTargetState } from './gate/state.ts';
import { requireOwnTurn } from './gate/turn.ts';
import { requireWitness } from './gate/witness.ts';
import type { SuggestionRow } from './rows.ts';
import type { Outcome, Rule, RuleContext } from './rule.ts';

/**
 * Decides what an agent suggested, again and from the rows as they are now: the agent's pair must hold the command for
 * its subject, and the dispatcher who accepts must hold it too. Of the agent's reins only the level is lifted: a pause
 * and a take-over bind it still.
 * @returns what the suggested command's rule answers
 * @throws DispatchError `superseded` when the ticket has moved on or nothing is left to do; whatever the gate refuses
 * @invariant neither of the two may do more than they could have done alone, but for the level
 * @source T1.10, design 01 Autonomy
 */
export function decideAgain(
  context: RuleContext,
  suggestion: SuggestionRow,
  findRule: (command: string) => Rule | undefined,
): Outcome {
  const entry = findCommand(suggestion.command) ?? refuse('unknown_command');
  const rule = findRule(entry.name) ?? refuse('unavailable', { detail: 'a command without a rule' });
  requireUnmoved(context, suggestion);
  requireDispatcher(context, entry, rule, suggestion);
  const agent = agentContext(context, entry, suggestion);
  requireTargetState(entry, agent.facts);
  rule.guard?.(agent);
  requirePermission(agent, rule, 'any level');
  requireWitness(entry, agent.facts);
  const outcome = rule.run(agent);
  if (Object.keys(outcome.changes).length === 0) refuse('superseded', { detail: 'nothing left to do' });
  // The edges of the command itself; those of the acceptance are checked where it is assembled.
  assemble(agent, outcome, []);
  return outcome;
}

function requireUnmoved({ facts }: RuleContext, suggestion: SuggestionRow): void {
  const { ticket_id: id, ticket_version: version } = suggestion;
  const isSame =
    id === null ? facts.ticket === null : facts.ticket?.id === id && facts.ticket.version === version;
  if (!isSame) refuse('superseded', { detail: 'the ticket has moved on' });
}

function requireDispatcher(
  context: RuleContext,
  entry: CommandEntry,
  rule: Rule,
  { input, ticket_id: targetId }: SuggestionRow,
): void {
  const grant = entry.who.find((g) => g.role === 'dispatcher' && g.membership === 'tenant');
  if (grant === undefined) refuse('not_granted');
  const acting = { kind: 'person', role: 'dispatcher', membership: 'tenant' } as const;
  requirePermission({ ...context, entry, acting, targetId, input }, rule);
}

/** The agent as it would call now; its turn may have ended, and is the one it suggested in. */
function agentContext(context: RuleContext, entry: CommandEntry, suggestion: SuggestionRow): RuleContext {
  const { caller: person, tools, now } = context;
  const caller: Caller = {
    tenantId: person.tenantId,
    service: 'tool-bridge',
    subject: { kind: suggestion.subject_kind, id: suggestion.subject_id },
    assurance: 'L1',
    agent: { role: suggestion.agent_role, turnId: suggestion.turn_id },
    scope: 'turn',
    context: {
      correlationId: person.context.correlationId,
      conversationId: suggestion.conversation_id,
      ticketId: null,
      actionDigest: null,
    },
  };
  const facts = { ...context.facts, subject: context.facts.suggested_for };
  const { input } = suggestion;
  if (tools.validateInput(entry, true, input).length > 0) refuse('superseded', { detail: 'schema' });
  const [acting] = requireGrant(entry, caller, facts);
  const { turn } = requireOwnTurn(caller, facts);
  const site = (input as { readonly site_id?: unknown }).site_id;
  const siteId = typeof site === 'string' ? site : null;
  requireTicketOfTurn(entry, caller, facts, turn, { siteId });
  const targetId = entry.target === 'none' ? null : suggestion.ticket_id;
  if (acting === undefined) return refuse('not_granted');
  return { ...context, entry, caller, facts, acting, targetId, input, now };
}
