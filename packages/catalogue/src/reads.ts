import { PERSON_ROLES, type PersonRole } from './roles.ts';

/** Reads pass the same gate as commands; each names who may and where it lives. */
export interface ReadEntry {
  readonly name: string;
  /** GET path. */
  readonly route: string;
  readonly roles: readonly (PersonRole | 'agent' | 'gateway' | 'identity' | 'link')[];
}

export const READS: readonly ReadEntry[] = [
  /** Who asks, and the roles they hold at this moment. */
  { name: 'self.get', route: '/v1/self', roles: PERSON_ROLES },
  /** Where the reader may open a ticket. */
  { name: 'site.list', route: '/v1/sites', roles: ['dispatcher', 'supervisor', 'requester'] },
  /** One site, and for staff who is on file there. */
  {
    name: 'site.get',
    route: '/v1/sites/:id',
    roles: [
      'dispatcher',
      'supervisor',
      'qa',
      'finance',
      'admin',
      'auditor',
      'technician',
      'requester',
      'approver',
    ],
  },
  /** Parameters: `state`, `priority`, `site`, `mine`, `after`. */
  {
    name: 'ticket.list',
    route: '/v1/tickets',
    roles: ['dispatcher', 'supervisor', 'qa', 'finance', 'auditor', 'technician', 'requester', 'approver'],
  },
  {
    name: 'ticket.get',
    route: '/v1/tickets/:id',
    roles: [
      'dispatcher',
      'supervisor',
      'qa',
      'finance',
      'auditor',
      'technician',
      'requester',
      'approver',
      'agent',
    ],
  },
  {
    name: 'ticket.timeline',
    route: '/v1/tickets/:id/timeline',
    roles: ['dispatcher', 'supervisor', 'qa', 'finance', 'auditor'],
  },
  {
    name: 'evidence.list',
    route: '/v1/tickets/:id/evidence',
    roles: ['dispatcher', 'supervisor', 'qa', 'auditor', 'technician'],
  },
  {
    name: 'evidence.content',
    route: '/v1/evidence/:id/content',
    roles: ['dispatcher', 'supervisor', 'qa', 'auditor', 'technician'],
  },
  {
    name: 'approval.list',
    route: '/v1/tickets/:id/approvals',
    roles: ['dispatcher', 'supervisor', 'finance', 'auditor', 'technician'],
  },
  /** The times that are offered for a ticket, as long as they can be taken, and the one that was. */
  {
    name: 'schedule.options',
    route: '/v1/tickets/:id/schedule-options',
    roles: ['dispatcher', 'supervisor', 'requester', 'agent'],
  },
  /** Who may be sent, the best first, and why nobody else may. */
  {
    name: 'visit.recommend',
    route: '/v1/tickets/:id/recommendations',
    roles: ['dispatcher', 'supervisor'],
  },
  { name: 'conversation.list', route: '/v1/conversations', roles: ['dispatcher', 'supervisor'] },
  { name: 'conversation.get', route: '/v1/conversations/:id', roles: ['dispatcher', 'supervisor', 'agent'] },
  { name: 'attention.list', route: '/v1/attention', roles: ['dispatcher', 'supervisor'] },
  { name: 'report.list', route: '/v1/reports', roles: ['dispatcher', 'supervisor'] },
  { name: 'technician.list', route: '/v1/technicians', roles: ['dispatcher', 'supervisor'] },
  /** Who and where is on file, by kind: parameters `kind`, `after`. */
  { name: 'directory.list', route: '/v1/directory', roles: ['admin', 'dispatcher', 'supervisor', 'auditor'] },
  /** Every incident type: the version in force, what is scheduled, and what the release brings. */
  {
    name: 'incident_type.list',
    route: '/v1/incident-types',
    roles: ['dispatcher', 'supervisor', 'admin', 'auditor'],
  },
  /** Every text that customers can get, as `incident_type.list`. */
  { name: 'template.list', route: '/v1/templates', roles: ['dispatcher', 'supervisor', 'admin', 'auditor'] },
  /** Parameters: `ticket`, `correlation`, `actor`, `command`, `decision`, `since`, `until`, `after`. */
  { name: 'audit.search', route: '/v1/audit', roles: ['supervisor', 'auditor'] },
  { name: 'autonomy.get', route: '/v1/autonomy', roles: ['dispatcher', 'supervisor'] },
  /** What waits for the reader's confirmation. */
  { name: 'act.list', route: '/v1/acts', roles: ['admin', 'supervisor', 'dispatcher'] },
  { name: 'turn.tools', route: '/v1/turn', roles: ['agent'] },
  { name: 'message.rendered', route: '/v1/messages/:id/rendered', roles: ['gateway'] },
  { name: 'step_up.get', route: '/v1/step-ups/:secret', roles: ['identity'] },
  /** By what the vault keeps what was typed of contacts who came on file together. */
  { name: 'step_up.adoptions', route: '/v1/step-ups/:secret/adoptions', roles: ['identity'] },
  { name: 'link.status', route: '/v1/links/:secret', roles: ['link'] },
  /** What can be chosen by the link in a text about times. */
  { name: 'link.choice', route: '/v1/choices/:secret', roles: ['link'] },
];

const BY_NAME: ReadonlyMap<string, ReadEntry> = new Map(READS.map((r) => [r.name, r]));

export function findRead(name: string): ReadEntry | undefined {
  return BY_NAME.get(name);
}
