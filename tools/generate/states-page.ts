import {
  ALL_EDGES,
  BOOTSTRAP,
  type Edge,
  findCommand,
  OBJECT_KINDS,
  type ObjectKind,
  RESTORE,
  TERMINAL_TICKET_STATES,
  TICKET_EDGES,
  TICKET_STATES,
} from '@deadlatch/catalogue';
import { grantText } from './commands-page.ts';
import { code, page, table } from './markdown.ts';

/** `docs/reference/states.md`: the life cycles, edge by edge. */
export function statesPage(): string {
  const terminal: ReadonlySet<string> = new Set(TERMINAL_TICKET_STATES);
  return page('States', '`packages/catalogue/src/states.ts`, `edges.ts`', [
    'The same table is loaded into the database (`sql/generated/transitions.sql`), which refuses any other change. ' +
      'An edge whose command is marked *not served yet* is planned: no route, no role and no agent can use it.',
    '`pause` remembers the state it came from; `resume` may go back to the remembered state only, or to READY_TO_SCHEDULE where listed.',
    '## Ticket',
    ...TICKET_STATES.flatMap((state) => [
      `### ${state}`,
      terminal.has(state)
        ? 'The end: nothing leads on from here.'
        : edgeTable(TICKET_EDGES.filter((edge) => edge.from === state)),
    ]),
    '### Coming into being',
    edgeTable(TICKET_EDGES.filter((edge) => edge.from === '-')),
    ...OBJECT_KINDS.filter((object) => object !== 'ticket').flatMap(lifeCycle),
  ]);
}

function lifeCycle(object: ObjectKind): string[] {
  const edges = ALL_EDGES.filter((edge) => edge.object === object);
  return [`## ${object.charAt(0).toUpperCase()}${object.slice(1)}`, edgeTable(edges, true)];
}

function senders(command: string, who: readonly string[]): string {
  if (command === RESTORE || command === BOOTSTRAP) return 'the operator';
  return findCommand(command) ? who.join(', ') || '-' : '*not served yet*';
}

function edgeTable(edges: readonly Edge[], withSource = false): string {
  const rows = edges.map((edge) => {
    const entry = findCommand(edge.command);
    const who = entry ? entry.who.map(grantText).concat(entry.agents.map((pair) => pair.agent)) : [];
    return [
      ...(withSource ? [edge.from] : []),
      edge.to === edge.from ? 'same' : edge.to,
      code(edge.command),
      edge.mode === 'plain' ? '-' : edge.mode,
      senders(edge.command, [...new Set(who)]),
    ];
  });
  return table([...(withSource ? ['from'] : []), 'to', 'command', 'mode', 'who'], rows);
}
