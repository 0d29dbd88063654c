import { assuranceRank } from '@deadlatch/catalogue';
import { DispatchError, refuse } from '@deadlatch/kernel';
import type { PolicyQuestion } from '../policy/engine.ts';
import type { Rule, RuleContext } from '../rule.ts';
import { isSuggestible } from '../suggest.ts';

/**
 * Asks Cedar. What is unknown is put as what forbids: paused, in a person's hands, level 0, proof L3.
 * @returns the ids of the policies that allowed
 * @throws DispatchError with the code of the policy that forbade, `policy_denied` when none permitted
 * @source A.5, C.5
 */
export function requirePermission(context: RuleContext, rule: Rule, lifted?: 'any level'): readonly string[] {
  const question = questionOf(context, rule);
  const asked = lifted === undefined ? question : { ...question, autonomy: ABOVE_EVERY_LEVEL };
  const answer = context.tools.policy.ask(asked);
  if (answer.allowed !== true) refuse(answer.code ?? 'policy_denied', { policyIds: answer.policyIds });
  return answer.policyIds;
}

/** Higher than what any pair needs; only a person's acceptance stands so high. */
const ABOVE_EVERY_LEVEL = 4;

export interface Permission {
  readonly policyIds: readonly string[];
  /** Only the level is in the way, and a dispatcher could do it: it becomes a suggestion. */
  readonly isForAPerson: boolean;
}

/**
 * As `requirePermission`, but what nothing but an agent's level forbids is left for a person to decide.
 * @invariant whatever else forbids, forbids
 */
export function askPermission(context: RuleContext, rule: Rule): Permission {
  try {
    return { policyIds: requirePermission(context, rule), isForAPerson: false };
  } catch (error) {
    const isLevel = error instanceof DispatchError && error.code === 'autonomy_denied';
    if (!isLevel || !isSuggestible(context.entry)) throw error;
    const lifted = context.tools.policy.ask({ ...questionOf(context, rule), autonomy: ABOVE_EVERY_LEVEL });
    if (lifted.allowed !== true) throw error;
    return { policyIds: error.policyIds, isForAPerson: true };
  }
}

function questionOf(context: RuleContext, rule: Rule): PolicyQuestion {
  const { acting, caller, entry, facts } = context;
  const required = Math.max(
    rankOr3(entry.proof),
    rule.proof === undefined ? 0 : rankOr3(rule.proof(context)),
  );
  const level: unknown = facts.autonomy?.level;
  return {
    principal: principalOf(context),
    action: entry.name,
    target: entry.target,
    assurance: Math.max(0, assuranceRank(caller.assurance)),
    required,
    autonomy: acting.kind === 'agent' && (level === 1 || level === 2 || level === 3) ? level : 0,
    pairLevel: acting.kind === 'agent' ? acting.pair.level : 0,
    // Only agents can be paused or be in the way of a person; the question says so, and so do the policies.
    isPaused: acting.kind === 'agent' && facts.autonomy?.paused !== false,
    isHumanInCharge: acting.kind === 'agent' && facts.conversation?.state !== 'AGENT',
    isInvolved: rule.isInvolved !== undefined && rule.isInvolved(context) !== false,
    isStepUp: caller.scope === 'step-up',
  };
}

function principalOf({ acting }: RuleContext): PolicyQuestion['principal'] {
  switch (acting.kind) {
    case 'agent':
      return { type: 'Agent', id: `${acting.pair.agent} for ${acting.pair.for}` };
    case 'service':
      return { type: 'Service', id: acting.role };
    case 'link':
      return { type: 'Role', id: 'link' };
    case 'person':
      return { type: 'Role', id: acting.role };
  }
}

function rankOr3(level: Parameters<typeof assuranceRank>[0]): number {
  const rank = assuranceRank(level);
  return rank < 0 ? 3 : rank;
}
