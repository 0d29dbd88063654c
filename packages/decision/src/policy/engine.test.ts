import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import { sha256Base64Url } from '../testing/tools.ts';
import { createPolicyEngine, type PolicyQuestion, type PolicyText } from './engine.ts';
import { loadPolicyTexts } from './load-policy-texts.ts';

const TEXTS = loadPolicyTexts();
const SCHEMA = TEXTS.filter((t) => t.name.endsWith('.cedarschema'));

const QUESTION: PolicyQuestion = {
  principal: { type: 'Role', id: 'dispatcher' },
  action: 'ticket.triage',
  target: 'ticket',
  assurance: 1,
  required: 1,
  autonomy: 0,
  pairLevel: 0,
  isPaused: false,
  isHumanInCharge: false,
  isInvolved: false,
  isStepUp: false,
};

const AGENT: PolicyQuestion = {
  ...QUESTION,
  principal: { type: 'Agent', id: 'agent.intake for requester' },
  autonomy: 2,
  pairLevel: 2,
};

function engine(texts: readonly PolicyText[] = TEXTS) {
  return createPolicyEngine({ texts, sha256Base64Url });
}

function policy(text: string): readonly PolicyText[] {
  return [...SCHEMA, { name: 'x.cedar', text }];
}

test('every answer names the policies that made it', () => {
  verifies('A.5');
  assert.deepEqual(engine().ask(QUESTION), {
    allowed: true,
    policyIds: ['permit.dispatcher'],
    code: null,
  });
  assert.deepEqual(engine().ask({ ...AGENT, isPaused: true }), {
    allowed: false,
    policyIds: ['forbid.agent_paused'],
    code: 'agent_paused',
  });
});

test('mistake 17: no policy loaded, or none matching, means no', () => {
  guardsAgainst(17);
  verifies('C.5');
  assert.deepEqual(engine(SCHEMA).ask(QUESTION), {
    allowed: false,
    policyIds: [],
    code: 'policy_denied',
  });
  assert.equal(engine().ask({ ...QUESTION, principal: { type: 'Role', id: 'nobody' } }).allowed, false);
  assert.throws(() => engine([]), DispatchError);
});

test('mistake 21: an engine that fails or throws denies, and is asked again', () => {
  guardsAgainst(21);
  verifies('C.5');
  let mode: 'throws' | 'fails' | 'works' = 'throws';
  const shaky = createPolicyEngine({
    texts: TEXTS,
    sha256Base64Url,
    evaluate: () => {
      if (mode === 'throws') throw new Error('trap');
      if (mode === 'fails') return { type: 'failure', errors: [], warnings: [] };
      return {
        type: 'success',
        response: { decision: 'allow', diagnostics: { reason: ['permit.dispatcher'], errors: [] } },
        warnings: [],
      };
    },
  });
  assert.deepEqual(shaky.ask(QUESTION), { allowed: false, policyIds: [], code: 'unavailable' });
  mode = 'fails';
  assert.equal(shaky.ask(QUESTION).allowed, false);
  mode = 'works';
  assert.equal(shaky.ask(QUESTION).allowed, true);
});

test('mistake 24: a deny rule that cannot be evaluated denies', () => {
  guardsAgainst(24);
  verifies('C.5');
  // Arithmetic that overflows is skipped by Cedar itself, and a forbid that is skipped does not forbid.
  const overflowing = engine(
    policy(`
      @id("permit.all") permit (principal, action, resource);
      @id("forbid.broken") @code("policy_denied") forbid (principal, action, resource)
      when { context.assurance + 9223372036854775807 > 0 };`),
  );
  assert.deepEqual(overflowing.ask(QUESTION), { allowed: false, policyIds: [], code: 'unavailable' });
});

test('mistake 25: a rule about something that is not known at decision time does not load', () => {
  guardsAgainst(25);
  verifies('C.5');
  assert.throws(
    () => engine(policy('@id("p") permit (principal, action, resource) when { context.approved };')),
    DispatchError,
  );
});

test('an allow without a policy is not an allow', () => {
  verifies('C.5');
  const odd = createPolicyEngine({
    texts: TEXTS,
    sha256Base64Url,
    evaluate: () => ({
      type: 'success',
      response: { decision: 'allow', diagnostics: { reason: [], errors: [] } },
      warnings: [],
    }),
  });
  assert.equal(odd.ask(QUESTION).allowed, false);
});

test('texts without ids, with one id twice, or with a forbid that gives no code do not load', () => {
  verifies('C.5');
  const permit = 'permit (principal, action, resource);';
  for (const text of [
    permit,
    `@id("a") ${permit} @id("a") ${permit}`,
    '@id("a") forbid (principal, action, resource);',
    '@id("a") @code("made_up") forbid (principal, action, resource);',
    'permit (',
  ]) {
    assert.throws(() => engine(policy(text)), DispatchError, text);
  }
  assert.equal(engine(policy(`@id("a") ${permit}`)).ask(QUESTION).allowed, true);
});

test('an action, or a circumstance, that the schema does not know denies', () => {
  verifies('C.8');
  assert.equal(engine().ask({ ...QUESTION, action: 'constructor' }).allowed, false);
  assert.equal(engine().ask({ ...QUESTION, assurance: Number.NaN }).allowed, false);
});

test('mistake 8: the stop switch binds the agent and not the technician', () => {
  guardsAgainst(8);
  verifies('T1.2');
  const technician: PolicyQuestion = {
    ...QUESTION,
    principal: { type: 'Role', id: 'technician' },
    action: 'tech.start',
    isPaused: true,
    isHumanInCharge: true,
  };
  assert.equal(engine().ask(technician).allowed, true);
  assert.equal(engine().ask(AGENT).allowed, true);
  assert.equal(engine().ask({ ...AGENT, isPaused: true }).allowed, false);
});

test('equal bundles have equal digests, different ones different digests, in any order', () => {
  verifies('A.5');
  assert.equal(engine([...TEXTS].reverse()).bundleHash, engine().bundleHash);
  assert.notEqual(engine(SCHEMA).bundleHash, engine().bundleHash);
});
