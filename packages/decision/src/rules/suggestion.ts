import { TERMINAL_TICKET_STATES } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Changes } from '../changes.ts';
import { changed, need } from '../need.ts';
import { agentFor, openTurn } from '../open-turn.ts';
import type { SuggestionRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

interface AcceptInput {
  readonly digest: string;
  readonly checked?: 'yes';
}

/**
 * A person does what an agent wanted, and the agent goes on from there in a turn of its own.
 * @invariant decided again from the rows; nothing of the suggestion but its references is believed
 * @invariant where safety is at stake a second field says that somebody looked
 * @source T1.4, T1.10
 */
export const ACCEPT_SUGGESTION = rule<AcceptInput>('suggestion.accept', {
  guard: requireAlive,
  run: (context) => {
    const { caller, input, nowText } = context;
    const before = suggestionOf(context);
    if (input.digest !== before.digest) refuse('digest_mismatch');
    if (before.safety && input.checked !== 'yes') {
      refuse('schema_mismatch', { extra: { fields: ['/checked'] } });
    }
    const outcome = context.again(before);
    // Its turn may be over; what it would have learnt there is in the new one.
    const { turn_ticket: _, ...changes } = outcome.changes;
    const suggestion = changed(before, {
      state: 'ACCEPTED',
      decided_by: need(caller.subject.id, 'subject id'),
      decided_at: nowText,
    });
    return {
      changes: { ...changes, suggestion, ...goOn(context, before, changes) },
      details: {
        ...outcome.details,
        suggestion_id: before.id,
        command: before.command,
        digest: before.digest,
      },
      result: { ...outcome.result, suggestion_id: before.id },
    };
  },
});

export const REJECT_SUGGESTION = rule<{ readonly reason: string }>('suggestion.reject', {
  run: (context) => {
    const before = suggestionOf(context);
    const suggestion = changed(before, {
      state: 'REJECTED',
      decided_by: need(context.caller.subject.id, 'subject id'),
      decided_at: context.nowText,
    });
    return {
      changes: { suggestion },
      details: { suggestion_id: before.id, command: before.command, reason: context.input.reason },
    };
  },
});

/** @invariant never before it is due by database time; somebody is told that nothing was done */
export const EXPIRE_SUGGESTION = rule<Record<string, never>>('suggestion.expire', {
  run: (context) => {
    const before = suggestionOf(context);
    if (!(context.now >= Date.parse(before.expires_at))) refuse('not_due');
    return {
      changes: {
        suggestion: changed(before, { state: 'EXPIRED' }),
        tasks: [{ kind: 'suggestion_expired', ticket_id: before.ticket_id }],
      },
      details: { suggestion_id: before.id, command: before.command },
    };
  },
});

function suggestionOf({ facts }: RuleContext): SuggestionRow {
  return need(facts.suggestion, 'suggestion');
}

function requireAlive(context: RuleContext): void {
  if (!(context.now < Date.parse(suggestionOf(context).expires_at))) {
    refuse('invalid_state', { extra: { from_state: 'EXPIRED', allowed_from: ['OPEN'] } });
  }
}

/** Another turn about the same message, unless the ticket is over and there is nothing to go on with. */
function goOn(context: RuleContext, suggestion: SuggestionRow, changes: Changes): Pick<Changes, 'turn'> {
  const { facts } = context;
  const ticket = changes.ticket ?? facts.ticket;
  const isOver = ticket !== null && (TERMINAL_TICKET_STATES as readonly string[]).includes(ticket.state);
  if (isOver || changes.turn !== undefined) return {};
  const turn = openTurn(context, {
    contactId: suggestion.subject_kind === 'contact' ? suggestion.subject_id : null,
    conversation: need(facts.conversation, 'conversation'),
    messageId: need(facts.turn, 'turn').message_id,
    ticketId: ticket?.id ?? null,
    role: agentFor(ticket?.state ?? null),
  });
  return { turn };
}
