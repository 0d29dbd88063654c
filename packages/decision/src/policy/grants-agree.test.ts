import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGENT_ROLES, COMMANDS, SUBJECT_ROLES } from '@deadlatch/catalogue';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import { realPolicies } from '../testing/tools.ts';
import type { PolicyQuestion } from './engine.ts';

const engine = realPolicies();

/** Everything in favour: what is refused now is refused for want of a permit, or forbidden for good. */
const FAVOURABLE = {
  assurance: 3,
  required: 0,
  autonomy: 3,
  pairLevel: 0,
  isPaused: false,
  isHumanInCharge: false,
  isInvolved: false,
  isStepUp: true,
} as const;

function isPermitted(principal: PolicyQuestion['principal'], action: string, target: string): boolean {
  return engine.ask({ ...FAVOURABLE, principal, action, target }).allowed;
}

test('a role holds a command in the catalogue exactly when a policy permits it', () => {
  verifies('A.3a', 'T1.2');
  for (const command of COMMANDS) {
    for (const role of SUBJECT_ROLES) {
      const isListed = command.who.some((grant) => grant.role === role && role !== 'system');
      const isAllowed = isPermitted({ type: 'Role', id: role }, command.name, command.target);
      assert.equal(isAllowed, isListed, `${role} ${command.name}`);
    }
    for (const service of ['gateway', 'system']) {
      const isListed = command.who.some((grant) => grant.role === service);
      const isAllowed = isPermitted({ type: 'Service', id: service }, command.name, command.target);
      assert.equal(isAllowed, isListed, `${service} ${command.name}`);
    }
  }
});

test('an agent pair holds a command in the catalogue exactly when a policy permits it, and from the same level', () => {
  verifies('T1.9', 'A.3a');
  for (const command of COMMANDS) {
    for (const agent of AGENT_ROLES) {
      for (const whom of SUBJECT_ROLES) {
        const pair = command.agents.find((p) => p.agent === agent && p.for === whom);
        const principal = { type: 'Agent', id: `${agent} for ${whom}` } as const;
        for (const autonomy of [0, 1, 2, 3]) {
          const { allowed } = engine.ask({
            ...FAVOURABLE,
            principal,
            autonomy,
            action: command.name,
            target: command.target,
          });
          assert.equal(
            allowed,
            pair !== undefined && autonomy >= pair.level,
            `${principal.id} ${command.name} at ${autonomy}`,
          );
        }
      }
    }
  }
});

test('mistake 9: no agent, however it is called, is an alias of a person', () => {
  guardsAgainst(9);
  verifies('T1.9');
  for (const name of ['bot', 'dispatcher', 'agent.intake', 'agent.intake for dispatcher']) {
    assert.equal(isPermitted({ type: 'Agent', id: name }, 'visit.dispatch_emergency', 'ticket'), false);
    assert.equal(isPermitted({ type: 'Agent', id: name }, 'ticket.triage', 'ticket'), false);
  }
});

test('admin cannot touch a ticket and auditor cannot write, even if somebody granted it', () => {
  verifies('T1.2');
  const answer = engine.ask({
    ...FAVOURABLE,
    principal: { type: 'Role', id: 'admin' },
    action: 'ticket.cancel',
    target: 'ticket',
  });
  assert.deepEqual(answer.policyIds, ['forbid.admin_on_tickets']);
  for (const { name, target } of COMMANDS) {
    const auditor = engine.ask({
      ...FAVOURABLE,
      principal: { type: 'Role', id: 'auditor' },
      action: name,
      target,
    });
    assert.deepEqual(auditor.policyIds, ['forbid.auditor_writing']);
  }
});

test('what agents never do is forbidden and not merely not permitted', () => {
  verifies('T1.2', 'T3.11');
  for (const action of [
    'approval.decide',
    'qa.verify',
    'billing.generate_invoice',
    'billing.issue',
    'payment.record',
    'autonomy.pause',
    'autonomy.resume',
    'autonomy.set',
    'visit.dispatch_emergency',
    'evidence.waive',
    'ticket.reopen',
    'account.change',
    'contact.change',
    'contact.set_limit',
    'technician.create',
    'role.grant',
    'role.revoke',
    'service_account.register',
    'act.confirm',
  ]) {
    const answer = engine.ask({
      ...FAVOURABLE,
      principal: { type: 'Agent', id: 'agent.intake for requester' },
      action,
      target: 'none',
    });
    assert.deepEqual(answer.policyIds, ['forbid.agent_never'], action);
  }
});
