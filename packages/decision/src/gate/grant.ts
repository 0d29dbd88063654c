import { type CommandEntry, ROLES_OF_KIND, type SubjectRole } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { Caller } from '../caller.ts';
import type { Facts, SubjectFacts } from '../facts.ts';
import type { Acting } from '../rule.ts';

/**
 * Roles of the subject as the database knows them now.
 * @invariant nothing of a role comes from the token; a role outside the subject's kind is ignored
 * @source A.3a, T3.1
 */
export function rolesOf(subject: SubjectFacts | null, caller: Caller): ReadonlySet<SubjectRole> {
  if (caller.subject.kind === 'system') return new Set(['system']);
  if (subject === null || subject.kind !== caller.subject.kind || subject.id !== caller.subject.id) {
    return new Set();
  }
  const held: SubjectRole[] =
    subject.kind === 'contact'
      ? [
          ...(subject.memberships.some((m) => m.may_request === true) ? (['requester'] as const) : []),
          ...(subject.memberships.some((m) => m.may_approve === true) ? (['approver'] as const) : []),
        ]
      : [...subject.roles];
  const possible = ROLES_OF_KIND[subject.kind];
  return new Set(held.filter((role) => possible.includes(role)));
}

/**
 * Every grant, or the pair, under which the caller could send this command.
 * An agent has no role: it has the listed pairs and nothing else, whatever its subject may do alone.
 * @returns at least one candidate
 * @throws DispatchError `not_granted`
 * @source A.3a, T1.9
 */
export function requireGrant(entry: CommandEntry, caller: Caller, facts: Facts): readonly Acting[] {
  const candidates = candidatesFor(entry, caller, facts);
  if (candidates.length === 0) refuse('not_granted');
  return candidates;
}

function candidatesFor(entry: CommandEntry, caller: Caller, facts: Facts): readonly Acting[] {
  if (caller.agent !== null) {
    const { role } = caller.agent;
    const roles = rolesOf(facts.subject, caller);
    return entry.agents
      .filter((pair) => pair.agent === role && roles.has(pair.for))
      .map((pair) => ({ kind: 'agent', pair }));
  }
  if (caller.scope === 'link') {
    return entry.who.some((grant) => grant.role === 'link') ? [{ kind: 'link' }] : [];
  }
  if (caller.scope === 'service') {
    const role = caller.subject.kind === 'system' ? 'system' : 'gateway';
    if ((role === 'gateway') !== (caller.service === 'gateway')) return [];
    return entry.who.some((grant) => grant.role === role) ? [{ kind: 'service', role }] : [];
  }
  const roles = rolesOf(facts.subject, caller);
  return entry.who.flatMap((grant): Acting[] =>
    grant.role !== 'system' && grant.role !== 'gateway' && grant.role !== 'link' && roles.has(grant.role)
      ? [{ kind: 'person', role: grant.role, membership: grant.membership }]
      : [],
  );
}
