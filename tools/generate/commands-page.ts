import {
  ALL_EDGES,
  COMMANDS,
  type CommandEntry,
  type Grant,
  READS,
  routeOf,
  TICKET_EDGES,
} from '@deadlatch/catalogue';
import { code, page, table } from './markdown.ts';

/** `docs/reference/commands.md`: every command that is served, and every read. */
export function commandsPage(): string {
  return page('Commands', '`packages/catalogue/src/commands/`, `edges.ts`, `reads.ts`', [
    'A command is a change. Each is one `POST`, signed by a service, with an `Idempotency-Key`; nothing else changes anything. ' +
      'Who may send it is the product of this table, the ceiling of the sending service ([services](services.md)) and membership in the database.',
    table(
      ['command', 'route', 'from -> to', 'who', 'agents, from autonomy level', 'proof', 'authority'],
      COMMANDS.map((entry) => [
        code(entry.name),
        code(`POST ${routeOf(entry)}`),
        movement(entry.name),
        entry.who.map(grantText).join(', ') || '-',
        agentsText(entry),
        entry.proof,
        entry.isActOfAuthority ? 'yes' : '',
      ]),
    ),
    '`authority`: moves money or power, and is refused (`unavailable`, `reason: witness_late`) while no witness has seen the log for a minute.',
    'Every answer has `correlation_id`, `ticket`, `result`, `event_id`, `replayed` and `receipt`: the promise, signed with the grant key, ' +
      'that the event will be in the log. Whoever gets it hands it to the witness and on to nobody.',
    '`own`: the requester who opened the ticket, the technician of its live visit, the approver who was asked. ' +
      '`proof` is the least assurance of the person; a decision on money computes its own from the table of proofs.',
    '## What each is for',
    table(
      ['command', 'what it does'],
      COMMANDS.map((entry) => [code(entry.name), entry.summary]),
    ),
    '## Reads',
    'Reads pass the same gate and return fields by role.',
    table(
      ['read', 'route', 'who'],
      READS.map((read) => [code(read.name), code(`GET ${read.route}`), read.roles.join(', ')]),
    ),
  ]);
}

/** How a command moves the ticket, or else the object that it is about. */
function movement(command: string): string {
  const ticket = TICKET_EDGES.filter((edge) => edge.command === command);
  const edges = ticket.length > 0 ? ticket : ALL_EDGES.filter((edge) => edge.command === command);
  if (edges.length === 0) return '-';
  if (edges.every((edge) => edge.from === edge.to)) {
    return `${edges.map((edge) => edge.from).join(', ')} -> same`;
  }
  const from = [...new Set(edges.map((edge) => edge.from))].join(', ');
  const to = [...new Set(edges.map((edge) => edge.to))].join(', ');
  const subject = ticket.length > 0 ? '' : `${edges[0]?.object}: `;
  const remembered = edges.every((edge) => edge.mode === 'resume') ? ' (the remembered one)' : '';
  return `${subject}${from} -> ${to}${remembered}`;
}

/** e.g. `technician own`. */
export function grantText(grant: Grant): string {
  if (grant.membership === 'own') return `${grant.role} own`;
  return grant.membership === 'account' ? `${grant.role} of the account` : grant.role;
}

function agentsText(entry: CommandEntry): string {
  return entry.agents.map((pair) => `${pair.agent} for ${pair.for}: ${pair.level}`).join('; ') || '-';
}
