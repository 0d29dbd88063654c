import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../../test/requirements.ts';
import type { Changes } from '../changes.ts';
import { decide } from '../decide.ts';
import type { ActRow, MembershipRow } from '../directory-rows.ts';
import { NO_CONTEXT, request, staffCaller } from '../testing/callers.ts';
import {
  CONTACT,
  confirmer,
  directoryFacts,
  membershipRow,
  SECOND_ADMIN,
} from '../testing/directory-facts.ts';
import { emptyFacts, placeFacts } from '../testing/facts.ts';
import { IDS, personOf } from '../testing/ids.ts';
import { staffMember } from '../testing/rows.ts';
import { createTestTools } from '../testing/tools.ts';

const tools = createTestTools();

/** A directory that commands change, as the database would: whoever confirms, whatever is asked, in any order. */
interface World {
  membership: MembershipRow;
  contactVersion: number;
  hasHadApprover: boolean;
  /** Persons whose yes is in the last act about a limit above the one before. */
  raisedBy: readonly string[];
  act: ActRow | null;
  yes: readonly string[];
}

const PEOPLE = [
  [IDS.admin, ['admin']],
  [SECOND_ADMIN, ['admin', 'dispatcher']],
  [IDS.supervisor, ['supervisor', 'admin']],
  [IDS.dispatcher, ['dispatcher']],
] as const;
const CONFIRMERS = PEOPLE.map(([id, roles]) => confirmer(id, ...roles));

const anyStep = fc.record({
  who: fc.constantFrom(...PEOPLE),
  deed: fc.constantFrom(
    'limit',
    'limit',
    'change',
    'reset',
    'deactivate',
    'confirm',
    'confirm',
    'confirm',
    'decline',
  ),
  limit: fc.constantFrom(0, 1, 50_000, 5_000_000),
  assurance: fc.constantFrom('L1' as const, 'L2' as const, 'L2' as const, 'L3' as const),
});

function play(world: World, step: typeof anyStep extends fc.Arbitrary<infer T> ? T : never): void {
  const base = directoryFacts();
  assert.ok(base.contact);
  const directory = directoryFacts({
    contact: { ...base.contact, version: world.contactVersion },
    memberships: [world.membership],
    has_had_approver: world.hasHadApprover,
    confirmers: CONFIRMERS,
    act: world.act,
    confirmed_by: world.yes,
  });
  const subject = { ...staffMember(step.who[0], 'admin'), roles: step.who[1] };
  const facts = emptyFacts({ ...placeFacts(), subject, directory });
  const isYes = step.deed === 'confirm' || step.deed === 'decline';
  if (isYes && world.act === null) return;
  const digest = world.act?.action_digest ?? null;
  const caller = isYes
    ? staffCaller(step.who[0], {
        service: 'identity',
        scope: 'step-up',
        assurance: step.assurance,
        context: { ...NO_CONTEXT, actionDigest: digest },
      })
    : staffCaller(step.who[0]);
  const inputs: Readonly<Record<string, readonly [string, unknown]>> = {
    limit: ['contact.set_limit', { account_id: IDS.account, approval_limit_cents: step.limit }],
    change: ['contact.change', { account_id: IDS.account, may_request: step.limit > 0 }],
    reset: ['contact.reset', {}],
    deactivate: ['contact.deactivate', {}],
    confirm: ['act.confirm', { decision: 'CONFIRM', action_digest: digest }],
    decline: ['act.confirm', { decision: 'DECLINE', action_digest: digest }],
  };
  const [command, input] = inputs[step.deed] ?? ['', null];
  const target = isYes ? (world.act?.id ?? null) : CONTACT;
  const decision = decide(request(command, target, input), caller, facts, tools);
  if (decision.kind === 'accepted') apply(world, decision.changes);
}

function apply(world: World, changes: Changes): void {
  const yes = changes.act_confirmation;
  if (changes.act !== undefined) {
    if (changes.act.version === 1) world.yes = [];
    world.act = changes.act;
  }
  if (yes !== undefined) world.yes = [...world.yes, yes.person_id];
  if (changes.contact !== undefined) world.contactVersion = changes.contact.version;
  for (const membership of changes.memberships ?? []) {
    if (membership.approval_limit_cents > world.membership.approval_limit_cents) world.raisedBy = world.yes;
    if (membership.approval_limit_cents > 0) world.hasHadApprover = true;
    world.membership = membership;
  }
}

test('no history of commands ends with a limit above 0 that two admins did not confirm with a code each', () => {
  verifies('T3.5', 'T3.11');
  const admins = new Set([IDS.admin, SECOND_ADMIN, IDS.supervisor].map(personOf));
  let raised = 0;
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 14 }), (steps) => {
      const world: World = {
        membership: membershipRow(),
        contactVersion: 3,
        hasHadApprover: false,
        raisedBy: [],
        act: null,
        yes: [],
      };
      for (const step of steps) {
        const before = world.hasHadApprover;
        const limit = world.membership.approval_limit_cents;
        play(world, step);
        // Up only once, from nothing, and never again.
        if (world.membership.approval_limit_cents > limit) assert.equal(before, false);
      }
      if (world.membership.approval_limit_cents === 0) return;
      raised += 1;
      assert.equal(new Set(world.raisedBy).size, 2);
      assert.ok(world.raisedBy.every((person) => admins.has(person)));
    }),
    { numRuns: 4_000 },
  );
  assert.ok(raised > 20, `only ${raised} histories ended with an approver`);
});
