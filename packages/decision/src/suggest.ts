import { type CommandEntry, SUGGESTION_EXPIRES_MS } from '@deadlatch/catalogue';
import { type JsonValue, refuse } from '@deadlatch/kernel';
import { later, need } from './need.ts';
import type { SuggestionRow } from './rows.ts';
import type { Outcome, RuleContext } from './rule.ts';

/** Whether a dispatcher could do it at all: what nobody could accept is refused, not suggested. */
export function isSuggestible(entry: CommandEntry): boolean {
  return (
    entry.agents.length > 0 && entry.who.some((g) => g.role === 'dispatcher' && g.membership === 'tenant')
  );
}

/**
 * What an agent's level does not allow, kept for a person: the command with its references, the version of the ticket
 * it is about, and an end. The same wish again is the same suggestion.
 * @param wanted what the command would do, so that nothing is suggested that could not be done
 * @invariant nothing of `wanted` is committed
 * @source T1.4, design 01 Autonomy
 */
export function suggest(context: RuleContext, wanted: Outcome): Outcome {
  const { facts } = context;
  if (Object.keys(wanted.changes).length === 0) refuse('autonomy_denied', { detail: 'nothing to suggest' });
  const row = rowOf(context, wanted);
  const known = facts.open_suggestions.find((s) => s.sameness === row.sameness);
  const result = { suggestion_id: known?.id ?? row.id, suggested: true };
  const details = { ...result, existing: known !== undefined };
  if (known !== undefined) return { changes: {}, details, result };
  return {
    changes: {
      suggestion: row,
      timers: [
        {
          id: context.tools.newId(),
          kind: 'suggestion.expire',
          target_id: row.id,
          due_at: row.expires_at,
        },
      ],
    },
    details: { ...details, digest: row.digest, ticket_version: row.ticket_version, safety: row.safety },
    result,
  };
}

function rowOf(context: RuleContext, wanted: Outcome): SuggestionRow {
  const { caller, entry, facts, nowText, tools } = context;
  const agent = need(caller.agent, 'agent');
  const turn = need(facts.turn, 'turn');
  const ticket = entry.target === 'ticket' ? need(facts.ticket, 'ticket') : null;
  const what = {
    command: entry.name,
    agent_role: agent.role,
    subject_kind: caller.subject.kind,
    subject_id: caller.subject.id,
    conversation_id: turn.conversation_id,
    ticket_id: ticket?.id ?? null,
    ticket_version: ticket?.version ?? null,
    input: context.input as SuggestionRow['input'],
    safety: ticket?.safety === true || wanted.changes.ticket?.safety === true,
  } as const;
  const promised = {
    ...what,
    id: tools.newId(),
    turn_id: turn.id,
    suggested_at: nowText,
    expires_at: later(context, SUGGESTION_EXPIRES_MS),
  };
  const digestOf = (value: object) =>
    tools.sha256Base64Url(tools.canonicalJson(JSON.parse(JSON.stringify(value)) as JsonValue));
  return {
    ...promised,
    tenant_id: caller.tenantId,
    version: 1,
    state: 'OPEN',
    digest: digestOf({ ...promised, tenant_id: caller.tenantId }),
    sameness: digestOf(what),
    decided_by: null,
    decided_at: null,
  };
}
