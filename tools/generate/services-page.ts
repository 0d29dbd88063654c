import {
  CEILINGS,
  COMMANDS,
  DEFAULT_PORTS,
  isHeldByPeople,
  SERVICES,
  type ServiceName,
  spiffeId,
} from '@deadlatch/catalogue';
import { code, page, table } from './markdown.ts';

/** `docs/reference/services.md`: the most that each service may ever claim. */
export function servicesPage(): string {
  return page('Services and their ceilings', '`packages/catalogue/src/services.ts`', [
    'Each process is a trust zone with a key of its own. Its ceiling is compiled in: table rows and policies can only narrow it. ' +
      'A request above the ceiling is refused with `above_ceiling`, whoever signed in behind it.',
    table(
      ['service', 'identity in the demo', 'port', 'subjects', 'up to', 'user token'],
      SERVICES.map((service) => {
        const ceiling = CEILINGS[service];
        const sends = ceilingCommands(service).length > 0 || ceiling.reads.length > 0;
        return [
          code(service),
          code(spiffeId('demo', service)),
          service === 'cli' ? '-' : String(DEFAULT_PORTS[service]),
          ceiling.subjects.join(', ') || '-',
          sends ? ceiling.upTo : '-',
          sends ? (ceiling.withoutToken ? 'none: the ceiling is its whole authority' : 'required') : '-',
        ];
      }),
    ),
    `PostgreSQL listens on ${DEFAULT_PORTS.postgres}, the simulator's mail server on ${DEFAULT_PORTS['simulator-smtp']}.`,
    ...SERVICES.flatMap(serviceSection),
  ]);
}

function serviceSection(service: ServiceName): string[] {
  const commands = ceilingCommands(service);
  const { except, reads } = CEILINGS[service];
  return [
    `## ${service}`,
    commands.length === 0 ? 'Sends no command.' : `Commands: ${commands.map(code).join(', ')}.`,
    ...(except.length === 0 ? [] : [`Never: ${except.map(code).join(', ')}.`]),
    ...(reads.length === 0 ? [] : [`Reads: ${reads.map(code).join(', ')}.`]),
  ];
}

/** The ceiling of a service as a plain list, in catalogue order. */
export function ceilingCommands(service: ServiceName): readonly string[] {
  const { byLink = [], commands, except } = CEILINGS[service];
  const all = COMMANDS.filter((entry) => {
    if (commands === 'agent-pairs') return entry.agents.length > 0;
    if (byLink.includes(entry.name)) return true;
    if (commands === 'person-roles') return isHeldByPeople(entry);
    return commands.includes(entry.name);
  });
  return all.map((entry) => entry.name).filter((name) => !except.includes(name));
}
