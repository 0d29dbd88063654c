/** Who may act, and how sure we are that it is they. */

export const PERSON_ROLES = [
  'requester',
  'approver',
  'dispatcher',
  'supervisor',
  'technician',
  'qa',
  'finance',
  'admin',
  'auditor',
] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

/** Roles without a person. Disjoint from people: no alias raises a privilege. */
export const IMPERSONAL_ROLES = ['unknown_sender', 'link', 'system'] as const;
export type ImpersonalRole = (typeof IMPERSONAL_ROLES)[number];

export type SubjectRole = PersonRole | ImpersonalRole;
export const SUBJECT_ROLES: readonly SubjectRole[] = [...PERSON_ROLES, ...IMPERSONAL_ROLES];

export const AGENT_ROLES = ['agent.intake', 'agent.scheduling', 'agent.liaison', 'agent.closeout'] as const;
export type AgentRole = (typeof AGENT_ROLES)[number];

export const SUBJECT_KINDS = ['contact', 'staff', 'technician', 'unknown_sender', 'link', 'system'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Which roles a subject of each kind can hold at all; a database row outside this is ignored. */
export const ROLES_OF_KIND: Readonly<Record<SubjectKind, readonly SubjectRole[]>> = {
  contact: ['requester', 'approver'],
  staff: ['dispatcher', 'supervisor', 'qa', 'finance', 'admin', 'auditor'],
  technician: ['technician'],
  unknown_sender: ['unknown_sender'],
  link: ['link'],
  system: ['system'],
};

export const ASSURANCES = ['L0', 'L1', 'L2', 'L3'] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** Position on the ladder, 0 to 3. */
export function assuranceRank(level: Assurance): number {
  return ASSURANCES.indexOf(level);
}

/** Autonomy levels per account and incident type: 0 propose only … 3 dispatches ROUTINE by itself. */
export const AUTONOMY_LEVELS = [0, 1, 2, 3] as const;
export type AutonomyLevel = (typeof AUTONOMY_LEVELS)[number];
