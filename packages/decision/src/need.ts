import { refuse } from '@deadlatch/kernel';
import type { ContractFacts } from './directory-rows.ts';
import type { ConversationRow, TicketRow } from './rows.ts';
import type { RuleContext } from './rule.ts';

/**
 * A fact that the database must have given for this command.
 * @throws DispatchError `unavailable`: absent never permits, and it is not the caller's fault
 */
export function need<T>(value: T | null | undefined, what: string): T {
  return value ?? refuse('unavailable', { detail: `missing fact: ${what}` });
}

/** The target's ticket; the gate has compared it with the path. */
export function ticketOf(context: RuleContext): TicketRow {
  return need(context.facts.ticket, 'ticket');
}

export function contractOf(context: RuleContext): ContractFacts {
  return need(context.facts.account, 'account').contract;
}

/** The same row one version later. */
export function changed<Row extends { readonly version: number }>(row: Row, patch: Partial<Row>): Row {
  return { ...row, ...patch, version: row.version + 1 };
}

/** The ticket one version later; even a change beside it leaves its mark, so that no command is without a version. */
export function changedTicket(context: RuleContext, patch: Partial<TicketRow>): TicketRow {
  return changed(ticketOf(context), { ...patch, updated_at: context.nowText });
}

export function later(context: RuleContext, ms: number): string {
  return new Date(context.now + ms).toISOString();
}

/**
 * A ticket that ends is no longer what its conversation is about; the next message may open another.
 * @param ticket as it stands after the command
 */
export function endOfTopic(
  { facts }: RuleContext,
  ticket: TicketRow,
): { readonly conversation?: ConversationRow } {
  const { conversation } = facts;
  const isOpenTopic = conversation?.ticket_id === ticket.id && conversation.state !== 'CLOSED';
  return isOpenTopic ? { conversation: changed(conversation, { ticket_id: null }) } : {};
}
