import type { AgentRole, Assurance } from '@deadlatch/catalogue';
import type { Caller, CommandRequest } from '../caller.ts';
import { IDS } from './ids.ts';

export const NO_CONTEXT: Caller['context'] = {
  correlationId: IDS.correlation,
  conversationId: null,
  ticketId: null,
  actionDigest: null,
};

function caller(patch: Pick<Caller, 'service' | 'subject' | 'scope'> & Partial<Caller>): Caller {
  return { tenantId: IDS.tenant, assurance: 'L1', agent: null, context: NO_CONTEXT, ...patch };
}

export function staffCaller(id: string, patch: Partial<Caller> = {}): Caller {
  return caller({ service: 'web', scope: 'person', subject: { kind: 'staff', id }, ...patch });
}

export function technicianCaller(id: string = IDS.technician, patch: Partial<Caller> = {}): Caller {
  return caller({ service: 'web', scope: 'person', subject: { kind: 'technician', id }, ...patch });
}

export function agentCaller(patch: Partial<Caller> = {}, role: AgentRole = 'agent.intake'): Caller {
  return caller({
    service: 'tool-bridge',
    scope: 'turn',
    subject: { kind: 'contact', id: IDS.requester },
    agent: { role, turnId: IDS.turn },
    context: { ...NO_CONTEXT, conversationId: IDS.conversation },
    ...patch,
  });
}

/** An approver whom identity has just seen prove a second factor for exactly this action. */
export function stepUpCaller(
  actionDigest: string | null,
  assurance: Assurance = 'L2',
  id: string = IDS.approver,
): Caller {
  return caller({
    service: 'identity',
    scope: 'step-up',
    subject: { kind: 'contact', id },
    assurance,
    context: { ...NO_CONTEXT, ticketId: IDS.ticket, actionDigest },
  });
}

export function gatewayCaller(patch: Partial<Caller> = {}): Caller {
  return caller({
    service: 'gateway',
    scope: 'service',
    subject: { kind: 'unknown_sender', id: null },
    ...patch,
  });
}

export function request(command: string, targetId: string | null, input: unknown): CommandRequest {
  return { command, targetId, input, fingerprint: 'f1' };
}
