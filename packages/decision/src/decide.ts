import { type CommandEntry, findCommand } from '@deadlatch/catalogue';
import { DispatchError, type ErrorCode, refuse } from '@deadlatch/kernel';
import { decideAgain } from './again.ts';
import { assemble } from './assemble.ts';
import type { Caller, CommandRequest } from './caller.ts';
import type { Decision, Refused, Replayed } from './changes.ts';
import type { Facts } from './facts.ts';
import { askPermission, type Permission } from './gate/ask-policy.ts';
import { requireCeiling } from './gate/ceiling.ts';
import { requireGrant } from './gate/grant.ts';
import { type Asked, requireMembership } from './gate/membership.ts';
import { requireTargetState } from './gate/state.ts';
import { requireWitness } from './gate/witness.ts';
import type { Rule, RuleContext } from './rule.ts';
import { findRule } from './rules.ts';
import { suggest } from './suggest.ts';
import type { DecisionTools } from './tools.ts';

/**
 * The heart: who may do what to which row now, and what exactly changes.
 *
 * Order of the gate: the command exists, is under the service's ceiling, matches its schema, is granted, its
 * target is the caller's, was not answered before, starts from the right state, is allowed by policy. Then its
 * rule decides.
 * @returns one of accepted (with exact changes), suggested (to a person, in place of what an agent's level forbids),
 *   replayed (the stored answer) or refused (with its reason)
 * @invariant total: never throws, reads nothing, waits for nothing; whatever is thrown inside is a refusal
 * @source T1.2, A.3a-A.3d, C.0; docs: the command path
 */
export function decide(
  request: CommandRequest,
  caller: Caller,
  facts: Facts,
  tools: DecisionTools,
): Decision {
  try {
    const entry = findCommand(request.command);
    if (entry === undefined) return refused(new DispatchError('unknown_command'));
    requireCeiling(entry, caller);
    requireSchema(entry, caller, request.input, tools);
    const siteId = namedSite(request.input);
    const { context, rule } = enter(entry, caller, facts, tools, {
      targetId: request.targetId,
      siteId,
      input: request.input,
    });
    const stored = storedAnswer(request, facts);
    if (stored !== null) return stored;
    const { policyIds, isForAPerson } = pass(context, rule);
    const outcome = rule.run(context);
    const accepted = assemble(context, outcome, policyIds);
    if (!isForAPerson) return accepted;
    return { ...assemble(context, suggest(context, outcome), policyIds), kind: 'suggested' };
  } catch (error) {
    return refused(error);
  }
}

/**
 * What stands between this command and its rule, before its body is known; null when nothing does. The one answer
 * to "what could be done now", so that a list and a call cannot drift apart.
 * @invariant a command for which this is not null is refused by `decide` under the same facts, whatever its body
 * @source T1.1
 */
export function whyNot(
  entry: CommandEntry,
  caller: Caller,
  facts: Facts,
  tools: DecisionTools,
  targetId: string | null,
): ErrorCode | null {
  try {
    requireCeiling(entry, caller);
    const { context, rule } = enter(entry, caller, facts, tools, {
      targetId,
      siteId: 'unasked',
      input: {},
    });
    pass(context, rule, 'without body');
    return null;
  } catch (error) {
    return refused(error).code;
  }
}

/** Grant and membership: from here on it is known who acts, as what, on which row. */
function enter(
  entry: CommandEntry,
  caller: Caller,
  facts: Facts,
  tools: DecisionTools,
  asked: Asked & { readonly input: unknown },
): { readonly context: RuleContext; readonly rule: Rule } {
  const now = Date.parse(facts.now);
  if (!Number.isFinite(now)) refuse('unavailable', { detail: 'no database time' });
  const candidates = requireGrant(entry, caller, facts);
  const acting = requireMembership(entry, caller, facts, candidates, asked, now);
  const rule = findRule(entry.name);
  if (rule === undefined) refuse('unavailable', { detail: 'a command without a rule' });
  const { input, targetId } = asked;
  const context: RuleContext = {
    entry,
    caller,
    facts,
    tools,
    acting,
    targetId,
    input,
    now,
    nowText: facts.now,
    again: (suggestion) => decideAgain(context, suggestion, findRule),
  };
  return { rule, context };
}

/** State, then policy, then the witness: last, so that what is refused anyway is refused for its own reason. */
function pass(context: RuleContext, rule: Rule, mode?: 'without body'): Permission {
  requireTargetState(context.entry, context.facts);
  if (mode === undefined || rule.guardsInput !== true) rule.guard?.(context);
  const permission = askPermission(context, rule);
  requireWitness(context.entry, context.facts);
  return permission;
}

function requireSchema(entry: CommandEntry, caller: Caller, input: unknown, tools: DecisionTools): void {
  const fields = tools.validateInput(entry, caller.agent !== null, input);
  if (!Array.isArray(fields) || fields.length > 0) {
    refuse('schema_mismatch', { extra: { fields: Array.isArray(fields) ? fields : ['/'] } });
  }
}

/**
 * The answer this request got before, if it is the same request.
 * @invariant looked at only after authorising again: a stored answer is not a way around the gate
 */
function storedAnswer(request: CommandRequest, facts: Facts): Replayed | null {
  const { stored } = facts;
  if (stored === null) return null;
  if (typeof stored.fingerprint !== 'string' || stored.fingerprint !== request.fingerprint) {
    refuse('idempotency_key_reused');
  }
  const { answer, event_id: eventId, event_time: eventTime, leaf_hash: leafHash } = stored;
  return { kind: 'replayed', answer, eventId, eventTime, leafHash };
}

function namedSite(input: unknown): string | null {
  if (typeof input !== 'object' || input === null || !Object.hasOwn(input, 'site_id')) return null;
  const { site_id: siteId } = input as { readonly site_id: unknown };
  return typeof siteId === 'string' ? siteId : null;
}

function refused(error: unknown): Refused {
  if (error instanceof DispatchError) {
    return {
      kind: 'refused',
      code: error.code,
      extra: error.extra,
      detail: error.detail ?? '',
      policyIds: error.policyIds,
    };
  }
  // A rule that threw did not allow.
  return { kind: 'refused', code: 'unavailable', extra: {}, detail: 'a rule threw', policyIds: [] };
}
