import type { TSchema } from 'typebox';
import type { AgentRole, Assurance, PersonRole } from './roles.ts';

/** How a subject must be connected with the target. `own` is the narrowest connection its role has. */
export type Membership =
  /** requester: opened it; technician: has its live visit; approver: asked to decide it */
  | 'own'
  /** contact on this site or account */
  | 'account'
  /** staff of this tenant */
  | 'tenant';

export interface Grant {
  /** `link`: whoever holds the secret of a link; nobody, with the right to this one command. */
  readonly role: PersonRole | 'system' | 'gateway' | 'link';
  readonly membership: Membership;
}

/** An agent acts only in an explicit pair: as `agent`, for a subject of role `for`. */
export interface AgentPair {
  readonly agent: AgentRole;
  readonly for: 'requester' | 'system';
  /** The autonomy level from which the pair acts by itself; 4: never, it can only suggest. */
  readonly level: 1 | 2 | 3 | 4;
}

export type Target =
  | 'none'
  | 'ticket'
  | 'approval'
  | 'message'
  | 'conversation'
  | 'report'
  | 'suggestion'
  | DirectoryTarget;

/** What is on file of who and where; its life is one state and its end. */
export type DirectoryTarget = 'account' | 'site' | 'asset' | 'contact' | 'technician' | 'staff' | 'act';

/** What `dispatch.read_facts` fetches beyond subject, target and stored answer. */
export const NEEDS = [
  'visit',
  'technician',
  'approval',
  'approvals',
  'evidence',
  'evidence_item',
  'open_uploads',
  'tests',
  'costs',
  'completion',
  'invoice',
  'conversation',
  'turn',
  'autonomy',
  'site',
  'message',
  'inbound',
  'schedule',
  'tapped_link',
  'loose_ends',
  'open_recalls',
  'roster',
  'duplicates',
  'consents',
  'directory',
  'publications',
  'batch',
] as const;
export type Need = (typeof NEEDS)[number];

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly target: Target;
  readonly who: readonly Grant[];
  readonly agents: readonly AgentPair[];
  /** The least assurance of the subject. Acts of authority compute theirs from the table of proofs. */
  readonly proof: Assurance;
  readonly input: TSchema;
  /** What an agent may send: references and choices only. `null` when no pair holds the command. */
  readonly agentInput: TSchema | null;
  readonly needs: readonly Need[];
  /** Moves money or power: refused while no witness has seen the log. What only asks or stops is none. */
  readonly isActOfAuthority: boolean;
}

export function command(
  name: string,
  entry: Omit<CommandEntry, 'name' | 'agentInput' | 'agents' | 'isActOfAuthority'> & {
    readonly agents?: readonly AgentPair[];
    readonly agentInput?: TSchema;
    readonly isActOfAuthority?: true;
  },
): CommandEntry {
  return {
    ...entry,
    name,
    agents: entry.agents ?? [],
    agentInput: entry.agentInput ?? null,
    isActOfAuthority: entry.isActOfAuthority ?? false,
  };
}

export const own = (role: Grant['role']): Grant => ({ role, membership: 'own' });
export const account = (role: Grant['role']): Grant => ({ role, membership: 'account' });
export const staff = (...roles: PersonRole[]): Grant[] =>
  roles.map((role) => ({ role, membership: 'tenant' }));

/** "S" of the command table: scheduling, for a requester or for a timer. */
export const scheduling = (level: 1 | 2 | 3): AgentPair[] => [
  { agent: 'agent.scheduling', for: 'requester', level },
  { agent: 'agent.scheduling', for: 'system', level },
];

/** "A" of the command table: intake, for a requester or for a timer. */
export const intake = (level: AgentPair['level']): AgentPair[] => [
  { agent: 'agent.intake', for: 'requester', level },
  { agent: 'agent.intake', for: 'system', level },
];
