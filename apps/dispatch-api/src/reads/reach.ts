import { COMMANDS, type Need } from '@deadlatch/catalogue';
import { type Caller, type DecisionTools, type Facts, toolsAllowed, whyNot } from '@deadlatch/decision';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import type { LogWatch } from '@deadlatch/log-watch';
import type { CommandPath } from '@deadlatch/postgres';

/** What somebody could do now: asked of the gate itself, so that a list and a call cannot drift apart. */
export interface Reach {
  /** Every command about a ticket that a person's role can hold, with the code that stands in its way. */
  readonly allowed: (caller: Caller, ticketId: string) => Promise<JsonValue>;
  /** Facts of a ticket's calendar: of everybody who could be sent when `needs` asks for the roster. */
  readonly calendar: (caller: Caller, ticketId: string, needs: readonly Need[]) => Promise<Facts>;
  /** Facts of an agent's turn and the commands it may send now. */
  readonly turn: (caller: Caller) => Promise<{ facts: Facts; tools: readonly string[] }>;
}

const TICKET_NEEDS: readonly Need[] = [
  'visit',
  'technician',
  'approvals',
  'evidence',
  'open_uploads',
  'tests',
  'costs',
  'completion',
  'consents',
  'duplicates',
  'invoice',
  'schedule',
  'conversation',
  'autonomy',
];
const TURN_NEEDS: readonly Need[] = [
  'turn',
  'duplicates',
  'conversation',
  'autonomy',
  'site',
  'approvals',
  'visit',
  'schedule',
];

export function createReach(
  path: CommandPath,
  tools: DecisionTools,
  watch: Pick<LogWatch, 'isTimely'>,
): Reach {
  const read = async (
    caller: Caller,
    target: 'ticket' | 'none',
    targetId: string | null,
    needs: readonly Need[],
  ) => {
    try {
      const facts = await path.readFacts({
        tenant_id: caller.tenantId,
        command: 'reach',
        target,
        target_id: targetId,
        needs,
        subject: caller.subject,
        service: caller.service,
        turn_id: caller.agent?.turnId ?? null,
        conversation_id: caller.context.conversationId,
        idempotency: null,
        refs: {},
      });
      return {
        ...facts,
        observed_object: null,
        witness: watch.isTimely() ? ('timely' as const) : ('late' as const),
      };
    } catch (cause) {
      throw new DispatchError('unavailable', { detail: 'facts', cause });
    }
  };
  return {
    async allowed(caller, ticketId) {
      const facts = await read(caller, 'ticket', ticketId, TICKET_NEEDS);
      return COMMANDS.filter((entry) => entry.target === 'ticket').flatMap((entry) => {
        const code = whyNot(entry, caller, facts, tools, ticketId);
        // What the role can never hold is not a disabled button, it is somebody else's.
        if (code === 'not_granted' || code === 'above_ceiling' || code === 'not_found') return [];
        return [
          code === null
            ? { command: entry.name, allowed: true }
            : { command: entry.name, allowed: false, code },
        ];
      });
    },
    calendar: (caller, ticketId, needs) => read(caller, 'ticket', ticketId, ['schedule', ...needs]),
    async turn(caller) {
      const first = await read(caller, 'none', null, TURN_NEEDS);
      const ticketId = first.turn?.ticket_id ?? null;
      const facts = ticketId === null ? first : await read(caller, 'ticket', ticketId, TURN_NEEDS);
      return { facts, tools: toolsAllowed(caller, facts, tools) };
    },
  };
}
