import { findRead } from '@deadlatch/catalogue';
import type { ServiceClient } from '@deadlatch/http';
import { DispatchError, isUuid, type JsonValue } from '@deadlatch/kernel';
import { readOwnRoles } from './own-roles.ts';
import { wantedEvidence } from './wanted-evidence.ts';

const PARTS = [
  { member: 'timeline', read: 'ticket.timeline' },
  { member: 'evidence', read: 'evidence.list' },
  { member: 'approvals', read: 'approval.list' },
  { member: 'schedule', read: 'schedule.options' },
] as const;

/** Refusals that mean "this part is not for you"; any other, an outage first, fails the whole page. */
const NOT_YOURS: ReadonlySet<string> = new Set(['not_granted', 'not_found', 'above_ceiling']);

/**
 * Everything one person may see of a ticket, read at this moment: the ticket, and each part that their role
 * reads; a part that it does not read is `null`. Parts outside the role are not even asked for, since a refusal
 * would leave an audit event every few seconds.
 * @param path of the ticket: its id
 * @throws DispatchError whatever `ticket.get` is refused with; `unavailable` when a part could not be read
 */
export async function readTicketPage(
  dispatchApi: ServiceClient,
  token: string,
  ticketId: string,
): Promise<JsonValue> {
  const [page, roles] = await Promise.all([
    dispatchApi.read(`/v1/tickets/${ticketId}`, { token }),
    readOwnRoles(dispatchApi, token),
  ]);
  const read = (name: string, id: string): Promise<JsonValue | null> => {
    const entry = findRead(name);
    if (!entry?.roles.some((role) => roles.some((own) => own === role))) return Promise.resolve(null);
    return dispatchApi.read(entry.route.replace(':id', id), { token }).catch((error: unknown) => {
      if (error instanceof DispatchError && NOT_YOURS.has(error.code)) return null;
      throw error;
    });
  };
  const conversationId = conversationOf(page);
  const [conversation, ...parts] = await Promise.all([
    conversationId === null ? null : read('conversation.get', conversationId),
    ...PARTS.map((part) => read(part.read, ticketId)),
  ]);
  const ticket = isRecord(page) ? page.ticket : undefined;
  const members = Object.fromEntries(PARTS.map((part, index) => [part.member, parts[index] ?? null]));
  return {
    ...(isRecord(page) ? page : {}),
    ...members,
    wanted_evidence: members.evidence !== null && isRecord(ticket) ? wantedEvidence(ticket) : null,
    conversation,
  };
}

function conversationOf(page: JsonValue): string | null {
  const ticket = isRecord(page) ? page.ticket : undefined;
  const id = isRecord(ticket) ? ticket.conversation_id : undefined;
  return typeof id === 'string' && isUuid(id) ? id : null;
}

function isRecord(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
