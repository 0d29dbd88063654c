import {
  type AgentRole,
  CEILINGS,
  type SubjectRole,
  type TicketState,
  ticketSources,
} from '@deadlatch/catalogue';
import type { Caller, CommandRequest } from '../caller.ts';
import type { Accepted, Decision, Refused } from '../changes.ts';
import { decide } from '../decide.ts';
import type { Facts } from '../facts.ts';
import type { TicketRow } from '../rows.ts';
import type { DecisionTools } from '../tools.ts';
import type { Cell, Claim } from './matrix-cells.ts';
import { callerOf, factsOf, requestOf } from './matrix-facts.ts';
import { publicationsFor } from './publication-facts.ts';
import { createTestTools } from './tools.ts';

/** What differs from the case in which the command is accepted. */
export interface Twist {
  readonly state?: TicketState;
  readonly ticket?: Partial<TicketRow>;
  readonly facts?: Partial<Facts>;
  readonly caller?: Partial<Caller>;
  readonly context?: Partial<Caller['context']>;
  readonly request?: Partial<CommandRequest>;
  readonly input?: unknown;
  readonly tools?: DecisionTools;
  /** As what an agent acts; intake unless told. */
  readonly agentRole?: AgentRole;
}

const TOOLS = createTestTools();

const CLAIM_OF: Readonly<Record<string, Claim>> = {
  gateway: { service: 'gateway', role: 'unknown_sender', kind: 'unknown_sender', agent: null },
  system: { service: 'worker', role: 'system', kind: 'system', agent: null },
  approver: { service: 'identity', role: 'approver', kind: 'contact', agent: null },
  requester: { service: 'web', role: 'requester', kind: 'contact', agent: null },
  technician: { service: 'web', role: 'technician', kind: 'technician', agent: null },
  link: { service: 'web', role: 'link', kind: 'link', agent: null },
  agent: { service: 'tool-bridge', role: 'requester', kind: 'contact', agent: 'agent.intake' },
};

export type Actor = SubjectRole | 'agent' | 'gateway';

/** Sends a command in the situation in which it is accepted, but for the twist. */
export function play(command: string, actor: Actor, twist: Twist = {}): Decision {
  const cell = cellOf(command, actor, twist.state, twist.agentRole);
  const facts = factsOf(cell);
  const base = callerOf(cell);
  const caller: Caller = {
    ...base,
    ...twist.caller,
    context: { ...base.context, ...twist.caller?.context, ...twist.context },
  };
  const request = { ...requestOf(cell), ...twist.request };
  return decide(
    twist.input === undefined ? request : { ...request, input: twist.input },
    caller,
    {
      ...facts,
      ticket: facts.ticket && { ...facts.ticket, ...twist.ticket },
      publications: publicationsFor(twist.input ?? request.input),
      ...twist.facts,
    },
    twist.tools ?? TOOLS,
  );
}

/** As `play`, for a case that must be accepted. */
export function accept(command: string, actor: Actor, twist: Twist = {}): Accepted {
  const decision = play(command, actor, twist);
  if (decision.kind !== 'accepted') throw new Error(`${command}: ${JSON.stringify(decision)}`);
  return decision;
}

/** As `play`, for a case that must be refused. */
export function refusal(command: string, actor: Actor, twist: Twist = {}): Refused {
  const decision = play(command, actor, twist);
  if (decision.kind !== 'refused') throw new Error(`${command} was ${decision.kind}`);
  return decision;
}

/** The code of a refusal, or `accepted` or `replayed`. */
export function code(command: string, actor: Actor, twist: Twist = {}): string {
  const decision = play(command, actor, twist);
  return decision.kind === 'refused' ? decision.code : decision.kind;
}

export function cellOf(command: string, actor: Actor, state?: TicketState, agent?: AgentRole): Cell {
  const claim: Claim = CLAIM_OF[actor] ?? {
    service: 'web',
    role: actor as SubjectRole,
    kind: 'staff',
    agent: null,
  };
  return {
    ...claim,
    agent: claim.agent === null ? null : (agent ?? claim.agent),
    command,
    state: state ?? ticketSources(command)[0] ?? 'none',
    membership: 'own',
    assurance: CEILINGS[claim.service].upTo === 'L3' ? 'L2' : 'L1',
    autonomy: 2,
    paused: false,
    human: false,
  };
}
