import { ASSURANCES } from '@deadlatch/catalogue';
import type { Caller } from '../caller.ts';
import type { Facts } from '../facts.ts';

export interface Situation {
  readonly caller: Caller;
  readonly facts: Facts;
}

/** One thing less: a right, a proof, a piece of evidence, or room to act. */
export interface Removal {
  readonly name: string;
  readonly apply: (situation: Situation) => Situation;
}

function ofFacts(name: string, change: (facts: Facts) => Partial<Facts>): Removal {
  return {
    name,
    apply: ({ caller, facts }) => ({ caller, facts: { ...facts, ...change(facts) } }),
  };
}

function withoutAt<T>(list: readonly T[], index: number): readonly T[] {
  return list.filter((_, i) => i !== index);
}

const SUBJECT: readonly Removal[] = [
  ofFacts('no subject', () => ({ subject: null })),
  ofFacts('one membership less', ({ subject }) => ({
    subject: subject && { ...subject, memberships: subject.memberships.slice(1) },
  })),
  ofFacts('no right to request', ({ subject }) => ({
    subject: subject && {
      ...subject,
      memberships: subject.memberships.map((m) => ({ ...m, may_request: false })),
    },
  })),
  ofFacts('no right to approve', ({ subject }) => ({
    subject: subject && {
      ...subject,
      memberships: subject.memberships.map((m) => ({ ...m, may_approve: false })),
    },
  })),
  ofFacts('a smaller limit', ({ subject }) => ({
    subject: subject && {
      ...subject,
      memberships: subject.memberships.map((m) => ({
        ...m,
        approval_limit_cents: Math.floor(m.approval_limit_cents / 100),
      })),
    },
  })),
  ofFacts('one role less', ({ subject }) => ({
    subject: subject && { ...subject, roles: subject.roles.slice(1) },
  })),
];

const PROOFS: readonly Removal[] = [
  {
    name: 'one level of assurance less',
    apply: ({ caller, facts }) => {
      const lower = ASSURANCES[Math.max(0, ASSURANCES.indexOf(caller.assurance) - 1)] ?? 'L0';
      return {
        caller: { ...caller, assurance: lower },
        // The turn was opened with the same proof; a mismatch alone would refuse.
        facts: { ...facts, turn: facts.turn && { ...facts.turn, assurance: lower } },
      };
    },
  },
  {
    name: 'no digest in the token',
    apply: ({ caller, facts }) => ({
      facts,
      caller: { ...caller, context: { ...caller.context, actionDigest: null } },
    }),
  },
  {
    name: 'no conversation in the token',
    apply: ({ caller, facts }) => ({
      facts,
      caller: { ...caller, context: { ...caller.context, conversationId: null } },
    }),
  },
];

const EVIDENCE: readonly Removal[] = [
  ...[0, 1, 2, 3].map((i) =>
    ofFacts(`evidence ${i} less`, ({ evidence }) => ({ evidence: withoutAt(evidence, i) })),
  ),
  ...[0, 1].map((i) => ofFacts(`test ${i} less`, ({ tests }) => ({ tests: withoutAt(tests, i) }))),
  ofFacts('a test failed', ({ tests }) => ({ tests: tests.map((t) => ({ ...t, passed: false })) })),
  ofFacts('no object in the store', () => ({ observed_object: null })),
  ofFacts('no picture in the object', ({ observed_object: found }) => ({
    observed_object: found && { ...found, kept: null },
  })),
  ofFacts('nobody counted the uploads', () => ({ open_uploads: null })),
  ofFacts('no evidence item', () => ({ evidence_item: null })),
];

const ROOM: readonly Removal[] = [
  ofFacts('no turn', () => ({ turn: null })),
  ofFacts('turn ended', ({ turn, now }) => ({ turn: turn && { ...turn, ended_at: now } })),
  ofFacts('turn expired', ({ turn, now }) => ({ turn: turn && { ...turn, expires_at: now } })),
  ofFacts('one autonomy level less', ({ autonomy }) => ({
    autonomy: { ...autonomy, level: autonomy.level === 3 ? 2 : autonomy.level === 2 ? 1 : 0 },
  })),
  ofFacts('paused', ({ autonomy }) => ({ autonomy: { ...autonomy, paused: true } })),
  ofFacts('a person took over', ({ conversation }) => ({
    conversation: conversation && { ...conversation, state: 'HUMAN' },
  })),
  ofFacts('no conversation', () => ({ conversation: null })),
];

const MONEY: readonly Removal[] = [
  ofFacts('a smaller NTE', ({ ticket }) => ({ ticket: ticket && { ...ticket, nte_cents: 1 } })),
  ofFacts('nobody may approve', () => ({ approvers: [] })),
  ofFacts('no account', () => ({ account: null })),
  ofFacts('no completion', () => ({ completion: null })),
];

const DIRECTORY: readonly Removal[] = [
  ofFacts('nothing on file', () => ({ directory: null })),
  ofFacts('nothing known of the rows of a batch', () => ({ batch: null })),
  ofFacts('nobody who could confirm', ({ directory }) => ({
    directory: directory && { ...directory, confirmers: [] },
  })),
  ofFacts('one who could confirm less', ({ directory }) => ({
    directory: directory && { ...directory, confirmers: directory.confirmers.slice(1) },
  })),
  ofFacts('somebody could approve before', ({ directory }) => ({
    directory: directory && { ...directory, has_had_approver: true },
  })),
  ofFacts('the code is taken', ({ directory }) => ({
    directory: directory && { ...directory, is_slug_taken: true },
  })),
];

const PUBLISHED: readonly Removal[] = [
  ofFacts('nothing read of what is published', () => ({ publications: null })),
];

const WITNESS: readonly Removal[] = [
  ofFacts('the witness is late', () => ({ witness: 'late' })),
  // As from a caller that forgot to say.
  ofFacts('no word of a witness', () => ({ witness: undefined as never })),
];

export const REMOVALS: readonly Removal[] = [
  ...SUBJECT,
  ...PROOFS,
  ...EVIDENCE,
  ...ROOM,
  ...MONEY,
  ...DIRECTORY,
  ...PUBLISHED,
  ...WITNESS,
];
