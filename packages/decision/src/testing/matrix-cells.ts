import {
  AGENT_ROLES,
  type AgentRole,
  type Assurance,
  SERVICES,
  type ServiceName,
  SUBJECT_ROLES,
  type SubjectKind,
  type SubjectRole,
  TICKET_STATES,
  type TicketState,
} from '@deadlatch/catalogue';

export type MembershipCase = 'own' | 'account' | 'other';

/** One question of the matrix, in words. */
export interface Cell {
  readonly command: string;
  readonly service: ServiceName;
  /** The one role that the subject has; for an agent, for whom it acts. */
  readonly role: SubjectRole;
  readonly kind: SubjectKind;
  readonly agent: AgentRole | null;
  readonly state: TicketState | 'none';
  readonly membership: MembershipCase;
  readonly assurance: Assurance;
  readonly autonomy: 0 | 1 | 2 | 3;
  readonly paused: boolean;
  readonly human: boolean;
}

/** Whoever a service could claim to speak for. */
export type Claim = Pick<Cell, 'service' | 'role' | 'kind' | 'agent'>;

const KIND_OF: Readonly<Record<SubjectRole, SubjectKind>> = {
  requester: 'contact',
  approver: 'contact',
  dispatcher: 'staff',
  supervisor: 'staff',
  technician: 'technician',
  qa: 'staff',
  finance: 'staff',
  admin: 'staff',
  auditor: 'staff',
  unknown_sender: 'unknown_sender',
  link: 'link',
  system: 'system',
};

/** Every service with every role of a subject, whether or not it may. */
export function claimsOfPeople(): readonly Claim[] {
  return SERVICES.flatMap((service) =>
    SUBJECT_ROLES.map((role) => ({ service, role, kind: KIND_OF[role], agent: null })),
  );
}

/** Every service with every pair (agent role, for whom): the listed ones, and the same agents for anybody else. */
export function claimsOfAgents(services: readonly ServiceName[]): readonly Claim[] {
  const subjects: readonly SubjectRole[] = ['requester', 'system', 'approver', 'dispatcher'];
  return services.flatMap((service) =>
    AGENT_ROLES.flatMap((agent) => subjects.map((role) => ({ service, role, kind: KIND_OF[role], agent }))),
  );
}

export const STATES: readonly (TicketState | 'none')[] = ['none', ...TICKET_STATES];
/** Commands about who and where are no ticket's. */
const BESIDE_TICKETS =
  /^(account|site|asset|technician|contact|role|service_account|incident_type|template|act|autonomy\.set)\b/;

/** Every state a command can meet; for one that looks at no ticket, none, the first and the last stand for all. */
export function statesOf(command: string): readonly Cell['state'][] {
  return BESIDE_TICKETS.test(command) ? ['none', 'NEW', 'CLOSED'] : STATES;
}

export const MEMBERSHIPS: readonly MembershipCase[] = ['own', 'account', 'other'];

/** What binds agents, and agents only. */
export type Reins = Pick<Cell, 'autonomy' | 'paused' | 'human'>;

export const ALL_REINS: readonly Reins[] = [true, false].flatMap((paused) =>
  [true, false].flatMap((human) =>
    ([0, 1, 2, 3] as const).map((autonomy): Reins => ({ autonomy, paused, human })),
  ),
);

/** Nothing held back, and everything: people must not notice the difference. */
export const EXTREME_REINS: readonly Reins[] = [
  { autonomy: 3, paused: false, human: false },
  { autonomy: 0, paused: true, human: true },
];
