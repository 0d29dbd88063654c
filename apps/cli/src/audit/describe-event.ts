import type { AuditEvent } from '@deadlatch/audit-log';
import { findCommand } from '@deadlatch/catalogue';

/** Where in the life of a message an event stands. */
type Stage =
  | 'message'
  | 'delivery'
  | 'turn'
  | 'tool call'
  | 'command'
  | 'read'
  | 'identity'
  | 'vault'
  | 'operator';

/** What one event caused to be said, and what became of it. */
export interface Confirmation {
  readonly template: string | null;
  readonly state: string;
  readonly contact_id: string | null;
}

/** One line: when, what, by whom, and what it did. */
export function describeEvent(event: AuditEvent): string {
  const { actor, decision, code, effects, command, time } = event;
  const who = `${actor.agent_role ? `${actor.agent_role} for ` : ''}${actor.kind}`;
  const moves = effects.map((e) => `${e.object} ${e.before_state}>${e.after_state} v${e.version}`);
  const said = decision === 'accepted' ? moves.join(', ') || 'no change' : `refused: ${code ?? ''}`;
  return `${time}  ${command.padEnd(26)} ${who.padEnd(24)} ${said}`;
}

/**
 * Several lines: the event in its chain, with what decided it, what it changed, what was said about it, and where it
 * stands in the log.
 * @source F.2, F.3, A.5
 */
export function describeInChain(
  event: AuditEvent,
  index: number | null,
  confirmations: readonly Confirmation[],
): string {
  const { actor, code, dimension, detail, policy_ids: policies, trace_id: trace } = event;
  const who = [
    actor.agent_role ? `${actor.agent_role} for ` : '',
    actor.kind,
    actor.id ? ` ${actor.id}` : '',
  ];
  const why = [code, dimension && `(${dimension})`, detail && `: ${detail}`].filter(Boolean).join(' ');
  const lines = [
    `${event.time}  ${index === null ? 'not in the log yet' : `log index ${index}`}  ${stageOf(event)}: ${event.command}`,
    `  by          ${who.join('')} at ${actor.assurance}${actor.turn_id ? `, turn ${actor.turn_id}` : ''}`,
    `  decision    ${event.decision}${why === '' ? '' : ` ${why}`}${policies.length > 0 ? `; policies ${policies.join(', ')}` : ''}`,
    ...event.effects.map(
      (e) => `  mutation    ${e.object} ${e.id} ${e.before_state} -> ${e.after_state}, version ${e.version}`,
    ),
    ...confirmations.map(
      ({ template, state, contact_id: to }) =>
        `  said        ${template ?? 'message'} to contact ${to ?? '-'}: ${state}`,
    ),
    `  ids         event ${event.id}, correlation ${event.correlation_id}${event.request_id ? `, request ${event.request_id}` : ''}${trace ? `, trace ${trace}` : ''}`,
  ];
  return `${lines.join('\n')}\n`;
}

function stageOf({ origin, command, actor, details }: AuditEvent): Stage {
  if (command === 'message.receive' || command === 'message.seal') return 'message';
  if (command === 'message.report_delivery') return 'delivery';
  if (command === 'token.mint') return details.scope === 'turn' ? 'turn' : 'identity';
  if (origin !== 'dispatch') return origin;
  if (actor.agent_role !== null) return 'tool call';
  return findCommand(command) ? 'command' : 'read';
}
