import type { StaffRole } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { directoryOf } from '../act.ts';
import { changed, need } from '../need.ts';
import { type Outcome, type RuleContext, rule } from '../rule.ts';
import { activeRow } from './on-file.ts';

/** Power of staff and of services. Everything here but less autonomy takes two passkeys, and there are none yet. */

interface RoleInput {
  readonly role: StaffRole;
}

/** @invariant nobody gives themselves a role, as a person */
export const ROLE_GRANT = rule<RoleInput>('role.grant', {
  guardsInput: true,
  guard: (context) => {
    const { roles } = otherStaff(context);
    if (roles.includes(context.input.role)) alreadySo('GRANTED');
  },
  run: needsPasskeys,
});

/** @invariant somebody stays who may give roles */
export const ROLE_REVOKE = rule<RoleInput>('role.revoke', {
  guardsInput: true,
  guard: (context) => {
    const { id, roles } = otherStaff(context);
    const { role } = context.input;
    if (!roles.includes(role)) alreadySo('REVOKED');
    const isLast = !directoryOf(context).confirmers.some(
      (c) => c.staff_id !== id && c.roles.includes('admin'),
    );
    if (role === 'admin' && isLast) refuse('not_eligible', { detail: 'the last admin' });
  },
  run: needsPasskeys,
});

export const SERVICE_ACCOUNT_REGISTER = rule('service_account.register', { run: needsPasskeys });
export const SERVICE_ACCOUNT_ROTATE = rule('service_account.rotate', { run: needsPasskeys });
export const SERVICE_ACCOUNT_REVOKE = rule('service_account.revoke', { run: needsPasskeys });

/**
 * Less takes effect at once, like a pause: an agent that read the old level is refused at its commit.
 * @throws DispatchError `assurance_required` for more
 */
export const AUTONOMY_SET = rule<{ readonly level: number }>('autonomy.set', {
  guardsInput: true,
  guard: (context) => {
    if (context.input.level === currentLevel(context)) alreadySo(`LEVEL_${context.input.level}`);
  },
  proof: (context) => (isMore(context) ? 'L3' : 'L1'),
  run: (context) => {
    if (isMore(context)) return needsPasskeys();
    const account = changed(activeRow(directoryOf(context).account), {});
    const { level } = context.input;
    return {
      changes: { account, autonomy: { account_id: account.id, level, version: account.version } },
      details: { account_id: account.id, level },
      result: { account_id: account.id, level },
    };
  },
});

function currentLevel(context: RuleContext): number {
  return need(directoryOf(context).autonomy_level, 'autonomy level');
}

/** What is not a number is more than any number. */
function isMore(context: RuleContext<{ readonly level: number }>): boolean {
  return !(context.input.level < currentLevel(context));
}

function otherStaff(context: RuleContext) {
  const staff = activeRow(directoryOf(context).staff);
  const { person_id: mine } = need(context.facts.subject, 'subject');
  return staff.person_id === mine ? refuse('separation_of_duty') : staff;
}

function alreadySo(state: string): never {
  return refuse('invalid_state', { extra: { from_state: state, allowed_from: [] } });
}

/** Whatever a token claims: only assertions that this service has verified itself count, and it verifies none yet. */
function needsPasskeys(): Outcome {
  return refuse('assurance_required', { extra: { required: 'L3' } });
}
