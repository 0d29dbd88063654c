import type { AgentRole, Assurance, PersonRole, SubjectKind } from '@deadlatch/catalogue';

/** Who did something, when the trail names no more than their kind. */
export const ACTOR_WORDS: Readonly<Record<SubjectKind, string>> = {
  contact: 'Customer',
  staff: 'Office',
  technician: 'Technician',
  unknown_sender: 'Unknown sender',
  link: 'Holder of a link',
  system: 'A timer',
};

export const AGENT_WORDS: Readonly<Record<AgentRole, string>> = {
  'agent.intake': 'The intake agent',
  'agent.scheduling': 'The scheduling agent',
  'agent.liaison': 'The liaison agent',
  'agent.closeout': 'The closeout agent',
};

/** What proves that it is really the approver. */
export const PROOF_WORDS: Readonly<Record<Assurance, string>> = {
  L0: 'None',
  L1: 'A signed-in person',
  L2: 'A one-time code',
  L3: 'A passkey',
};

export const ROLE_WORDS: Readonly<Record<PersonRole, string>> = {
  requester: 'Requester',
  approver: 'Approver',
  dispatcher: 'Dispatcher',
  supervisor: 'Supervisor',
  technician: 'Technician',
  qa: 'Quality',
  finance: 'Finance',
  admin: 'Administrator',
  auditor: 'Auditor',
};
