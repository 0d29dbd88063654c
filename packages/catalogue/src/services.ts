import type { CommandEntry } from './define.ts';
import { type Assurance, PERSON_ROLES, type SubjectKind } from './roles.ts';

/** Every process of the system; each is a trust zone and a service identity. */
export const SERVICES = [
  'gateway',
  'identity',
  'vault',
  'agent',
  'tool-bridge',
  'dispatch-api',
  'worker',
  'sequencer',
  'witness',
  'web',
  'simulator',
  'cli',
] as const;
export type ServiceName = (typeof SERVICES)[number];

/** `spiffe://<env>.deadlatch/<app>`: the environment is part of the trust domain. */
export function spiffeId(environment: string, service: ServiceName): string {
  return `spiffe://${environment}.deadlatch/${service}`;
}

export const DEFAULT_PORTS: Readonly<
  Record<
    Exclude<ServiceName, 'cli'> | 'identity-internal' | 'gateway-internal' | 'postgres' | 'simulator-smtp',
    number
  >
> = {
  web: 4300,
  'dispatch-api': 4310,
  // What browsers reach, and what services reach.
  identity: 4320,
  'identity-internal': 4321,
  vault: 4330,
  'tool-bridge': 4340,
  agent: 4350,
  gateway: 4360,
  'gateway-internal': 4361,
  worker: 4370,
  sequencer: 4375,
  witness: 4380,
  simulator: 4390,
  'simulator-smtp': 4395,
  postgres: 4399,
};

/**
 * The most a service may ever claim, compiled in: tables and policies can only narrow it.
 * `commands` is either an explicit list or how it is derived from the catalogue:
 * `agent-pairs` = commands that some agent pair holds, `person-roles` = commands that some person's role holds.
 */
export interface Ceiling {
  readonly commands: readonly string[] | 'agent-pairs' | 'person-roles';
  /** Commands never sent by this service although the rule above would include them. */
  readonly except: readonly string[];
  readonly subjects: readonly SubjectKind[];
  readonly upTo: Assurance;
  /** Whether commands of this service travel without a user token: its ceiling is its whole authority. */
  readonly withoutToken: boolean;
  /** Commands whose authority is the secret of a link in their body: nobody's token goes with them. */
  readonly byLink?: readonly string[];
  readonly reads: readonly string[];
}

const NOTHING: Ceiling = {
  commands: [],
  except: [],
  subjects: [],
  upTo: 'L0',
  withoutToken: false,
  reads: [],
};

const PERSON_READS = [
  'self.get',
  'site.list',
  'site.get',
  'ticket.get',
  'ticket.list',
  'ticket.timeline',
  'conversation.get',
  'conversation.list',
  'attention.list',
  'report.list',
  'technician.list',
  'evidence.list',
  'evidence.content',
  'approval.list',
  'schedule.options',
  'visit.recommend',
  'directory.list',
  'incident_type.list',
  'template.list',
  'audit.search',
  'autonomy.get',
  'act.list',
] as const;

/** Some person's role holds it: what timers, services and links send is nobody's to ask a token for. */
export function isHeldByPeople({ who }: CommandEntry): boolean {
  return who.some((grant) => PERSON_ROLES.some((role) => role === grant.role));
}

export const CEILINGS: Readonly<Record<ServiceName, Ceiling>> = {
  gateway: {
    commands: ['message.receive', 'message.report_delivery'],
    except: [],
    subjects: ['contact', 'unknown_sender'],
    upTo: 'L1',
    withoutToken: true,
    reads: ['message.rendered'],
  },
  'tool-bridge': {
    commands: 'agent-pairs',
    except: [],
    subjects: ['contact', 'system'],
    upTo: 'L1',
    withoutToken: false,
    reads: ['turn.tools', 'conversation.get', 'ticket.get', 'schedule.options'],
  },
  web: {
    commands: 'person-roles',
    except: ['approval.decide', 'act.confirm'],
    subjects: ['staff', 'technician', 'contact', 'link'],
    upTo: 'L1',
    withoutToken: false,
    byLink: ['choice.make'],
    reads: [...PERSON_READS, 'link.status', 'link.choice'],
  },
  identity: {
    commands: ['approval.decide', 'act.confirm'],
    except: [],
    subjects: ['contact', 'staff'],
    upTo: 'L3',
    withoutToken: false,
    reads: ['step_up.get', 'step_up.adoptions'],
  },
  worker: {
    commands: [
      'approval.expire',
      'ticket.close',
      'suggestion.expire',
      'schedule.release',
      'visit.escalate',
      'visit.miss',
    ],
    except: [],
    subjects: ['system'],
    upTo: 'L1',
    withoutToken: true,
    reads: [],
  },
  cli: {
    commands: 'person-roles',
    except: ['approval.decide', 'act.confirm'],
    subjects: ['staff', 'technician', 'contact'],
    upTo: 'L1',
    withoutToken: false,
    reads: PERSON_READS,
  },
  'dispatch-api': NOTHING,
  vault: NOTHING,
  agent: NOTHING,
  sequencer: NOTHING,
  witness: NOTHING,
  simulator: NOTHING,
};
