import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCommand, SMALL_INCREASE_CENTS, SMALL_INCREASE_RATIO } from '@deadlatch/catalogue';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import type { Accepted } from './changes.ts';
import { chargedLines, totalCents } from './costs.ts';
import type { InvoiceRow, TicketRow } from './rows.ts';
import type { RuleContext } from './rule.ts';
import { findRule } from './rules.ts';
import { staffCaller, stepUpCaller, technicianCaller } from './testing/callers.ts';
import { FREE_TEXT, fixedId, IDS } from './testing/ids.ts';
import {
  approverFacts,
  at,
  contact,
  evidenceRow,
  HOUR,
  MINUTE,
  membership,
  staffMember,
  technicianSubject,
  ticketRow,
  visitRow,
} from './testing/rows.ts';
import { technicianFacts } from './testing/schedule-rows.ts';
import { createTestTools } from './testing/tools.ts';
import { createWorld, type Person, type World } from './testing/world.ts';

Error.stackTraceLimit = 0;

const tools = createTestTools();
const staff = (id: string, role: 'dispatcher' | 'finance' | 'supervisor'): Person => ({
  caller: staffCaller(id),
  subject: staffMember(id, role),
});
const DANA = staff(IDS.dispatcher, 'dispatcher');
const FAY = staff(IDS.finance, 'finance');
const SUE = staff(IDS.supervisor, 'supervisor');
const MARIA: Person = {
  caller: { ...DANA.caller, subject: { kind: 'contact', id: IDS.requester } },
  subject: contact(IDS.requester, membership()),
};
const SYSTEM: Person = {
  caller: { ...DANA.caller, service: 'worker', scope: 'service', subject: { kind: 'system', id: null } },
  subject: null,
};
/** Two technicians take turns on the job: the sum is the ticket's, not theirs. */
const TECHNICIANS = [IDS.technician, fixedId(40)] as const;
const technician = (id: string): Person => ({ caller: technicianCaller(id), subject: technicianSubject(id) });
const ALAN = contact(
  IDS.approver,
  membership({ site_id: null, may_request: false, may_approve: true, approval_limit_cents: 500_000 }),
);

type Op = (typeof OPS)[number];

interface Step {
  readonly pick: number;
  /** Anything at all, and not what fits where the ticket stands. */
  readonly isWild: boolean;
  readonly cents: number;
  readonly minutes: number;
  /** How long before it. */
  readonly wait: number;
}

const OPS = [
  'ask',
  'ask before work',
  'approve',
  'deny',
  'withdraw',
  'expire',
  'part',
  'time',
  'leave',
  'another trip',
  'retriage',
  'verified',
  'invoice',
  'issue',
  'dispute',
  'void',
  'pay',
] as const;

const FITTING: Readonly<Record<string, readonly Op[]>> = {
  IN_PROGRESS: ['ask', 'ask', 'part', 'time', 'leave', 'verified'],
  APPROVAL_REQUIRED: ['approve', 'approve', 'deny', 'withdraw', 'expire', 'leave'],
  ON_HOLD: ['approve', 'approve', 'deny', 'withdraw', 'expire'],
  READY_TO_SCHEDULE: ['another trip', 'another trip', 'retriage'],
  VERIFIED: ['invoice'],
  INVOICED: ['issue', 'issue', 'dispute', 'void', 'pay', 'pay'],
};

function opOf(step: Step, world: World): Op {
  const fitting = step.isWild ? OPS : (FITTING[world.facts.ticket?.state ?? ''] ?? OPS);
  return fitting[step.pick % fitting.length] as Op;
}

const anyHistory = fc.array(
  fc.record<Step>({
    pick: fc.nat(1_000),
    isWild: fc.boolean(),
    cents: fc.integer({ min: 1, max: 30_000 }),
    minutes: fc.integer({ min: 1, max: 90 }),
    wait: fc.constantFrom(MINUTE, 20 * MINUTE, 61 * MINUTE),
  }),
  { minLength: 5, maxLength: 45 },
);

function start(): World {
  const world = createWorld(tools);
  const photo = evidenceRow({ state: 'FINALIZED', finalized_at: at(0) });
  world.facts = {
    ...world.facts,
    ticket: ticketRow({ state: 'IN_PROGRESS' }),
    requester_person_id: fixedId(0x1014),
    visit: visitRow(),
    technician: technicianFacts(),
    approvers: [approverFacts()],
    evidence: [photo],
  };
  return world;
}

/** Where the ticket goes by work and verification, which are not about money. */
function moveTo(world: World, state: TicketRow['state'], technicianId: string | null): void {
  const ticket = world.facts.ticket as TicketRow;
  const visit = technicianId === null ? null : visitRow({ technician_id: technicianId });
  const facts = technicianId === null ? null : technicianFacts({ id: technicianId });
  world.facts = {
    ...world.facts,
    ticket: { ...ticket, state, resume_state: null },
    visit,
    technician: facts,
  };
}

function lines(cents: number) {
  return [{ kind: 'PART', quantity: 1, unit_cents: cents, incurred: 'no' }];
}

/** Does the step if it can be done now; what is refused changes nothing. */
function play(world: World, step: Step, op: Op): void {
  const { facts } = world;
  const ticket = facts.ticket as TicketRow;
  const asked = facts.approval;
  const worker = technician(facts.visit?.technician_id ?? IDS.technician);
  const run = (who: Person, command: string, input: unknown = {}, target = ticket.id) =>
    world.run(who, command, target, input);
  switch (op) {
    case 'ask':
      run(worker, 'tech.request_change', {
        kind: 'NTE_INCREASE',
        lines: lines(step.cents),
        photos: [IDS.evidence],
        reason: FREE_TEXT,
      });
      return;
    case 'ask before work':
      run(DANA, 'approval.request', { kind: 'NTE_INCREASE', lines: lines(step.cents), reason: FREE_TEXT });
      return;
    case 'approve':
    case 'deny': {
      const digest = asked?.action_digest ?? 'x'.repeat(43);
      const who = { caller: stepUpCaller(digest), subject: ALAN };
      const decision = op === 'approve' ? 'APPROVE' : 'DENY';
      run(who, 'approval.decide', { decision, action_digest: digest }, asked?.id ?? IDS.approval);
      return;
    }
    case 'withdraw':
      run(DANA, 'approval.withdraw', {}, asked?.id ?? IDS.approval);
      return;
    case 'expire':
      run(SYSTEM, 'approval.expire', {}, asked?.id ?? IDS.approval);
      return;
    case 'part':
      run(worker, 'part.record', { part_number: 'L-1', quantity: 1, unit_cents: step.cents });
      return;
    case 'time':
      run(worker, 'time.record', { minutes: step.minutes });
      return;
    case 'leave': {
      const outcome = ticket.state === 'APPROVAL_REQUIRED' ? 'WAITING_APPROVAL' : 'RETURN_TRIP';
      run(worker, 'tech.check_out', { outcome });
      return;
    }
    case 'another trip':
      if (ticket.state === 'READY_TO_SCHEDULE')
        moveTo(world, 'IN_PROGRESS', TECHNICIANS[step.cents % 2] as string);
      return;
    case 'retriage':
      run(DANA, 'ticket.retriage', {
        type: 'DOOR_CANNOT_SECURE',
        answers: [],
        priority: step.cents % 2 === 0 ? 'URGENT' : 'EMERGENCY',
        reason: FREE_TEXT,
      });
      return;
    case 'verified':
      // Work is handed in only within the limit, which its own rule sees to.
      if (ticket.state === 'IN_PROGRESS' && cost(world) <= ticket.nte_cents) moveTo(world, 'VERIFIED', null);
      return;
    case 'invoice':
      run(FAY, 'billing.generate_invoice');
      return;
    case 'issue':
      run(FAY, 'billing.issue');
      return;
    case 'dispute':
      run(MARIA, 'billing.dispute', { reason: FREE_TEXT });
      return;
    case 'void':
      voidInvoice(world);
      return;
    case 'pay':
      run(FAY, 'payment.record', { amount_cents: facts.invoice?.total_cents ?? 0, method: 'ACH' });
      return;
  }
}

/** Both people with passkeys, which nobody can prove yet: their rule, past the gate. */
function voidInvoice(world: World): void {
  for (const [who, role] of [
    [FAY, 'finance'],
    [SUE, 'supervisor'],
  ] as const) {
    const entry = findCommand('billing.void');
    const rule = findRule('billing.void');
    assert.ok(entry && rule);
    const facts = { ...world.facts, subject: who.subject };
    const context: RuleContext = {
      entry,
      caller: who.caller,
      facts,
      tools,
      acting: { kind: 'person', role, membership: 'tenant' },
      targetId: facts.ticket?.id ?? null,
      input: { reason: FREE_TEXT },
      now: Date.parse(facts.now),
      nowText: facts.now,
      again: () => assert.fail('nothing was suggested'),
    };
    if (facts.ticket?.state !== 'INVOICED') return;
    try {
      rule.guard?.(context);
      world.apply(rule.run(context).changes);
    } catch {
      return;
    }
  }
}

function cost(world: World): number {
  const { account, costs, ticket } = world.facts;
  assert.ok(account && ticket);
  return totalCents(chargedLines(ticket, costs, account.contract));
}

function released(world: World): number {
  const consumed = world.facts.approvals.filter((a) => a.state === 'CONSUMED');
  return consumed.reduce((sum, a) => sum + a.amount_cents, 0);
}

const NEVER = new Set(['CONSUMED', 'DENIED', 'EXPIRED', 'WITHDRAWN', 'VOID']);

/** What holds after every step, whatever came before. */
function check(before: World['facts'], world: World, everyInvoice: Map<string, InvoiceRow>): void {
  const { ticket, approvals, invoice } = world.facts;
  assert.ok(ticket && before.ticket);
  // Never below what was approved, and not lowered once anything was approved or spent.
  for (const a of approvals) if (a.state === 'CONSUMED') assert.ok(ticket.nte_cents >= a.new_nte_cents);
  assert.ok(ticket.nte_cents >= ticket.base_nte_cents + released(world));
  const wasCommitted =
    before.approvals.some((a) => a.state === 'CONSUMED') ||
    before.costs.minutes > 0 ||
    before.costs.parts.length > 0;
  if (wasCommitted) assert.ok(ticket.nte_cents >= before.ticket.nte_cents);
  // Codes alone release the small sum, over every request of everybody together.
  const highestBase = 75_000;
  assert.ok(released(world) <= Math.min(SMALL_INCREASE_CENTS, highestBase * SMALL_INCREASE_RATIO));
  // What was decided stays decided, and one question at a time.
  for (const a of before.approvals) {
    const now = approvals.find((x) => x.id === a.id);
    if (NEVER.has(a.state)) assert.deepEqual(now, a);
    if (a.state === 'PENDING' && now?.state !== 'PENDING' && now?.state !== 'CONSUMED') {
      assert.equal(ticket.nte_cents, before.ticket.nte_cents, 'no yes, no money');
    }
  }
  assert.ok(approvals.filter((a) => a.state === 'PENDING').length <= 1);
  if (invoice === null) return;
  everyInvoice.set(invoice.id, invoice);
  assert.ok([...everyInvoice.values()].filter((i) => i.state !== 'VOID').length <= 1);
  assert.equal(invoice.total_cents, totalCents(invoice.lines));
  assert.ok(invoice.total_cents <= ticket.nte_cents);
  if (before.invoice?.state === 'PAID') assert.equal(invoice.state, 'PAID');
}

test('over every history, money stays within what was approved, and is asked for and paid once', (t) => {
  verifies('T3.4', 'T3.5', 'C.4');
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(anyHistory, (history) => {
      const world = start();
      const invoices = new Map<string, InvoiceRow>();
      for (const step of history) {
        world.advance(step.wait);
        const before = world.facts;
        const op = opOf(step, world);
        play(world, step, op);
        if (world.facts !== before) seen.set(op, (seen.get(op) ?? 0) + 1);
        check(before, world, invoices);
      }
    }),
    { numRuns: 1_000 },
  );
  t.diagnostic([...seen].map(([op, n]) => `${op} ${n}`).join(', '));
  // Every kind of step really happened, so none of the rules above was only looked at.
  for (const op of OPS) if (op !== 'ask before work') assert.ok((seen.get(op) ?? 0) > 0, op);
});

test('a third small request in one day is no small request any more, whoever asks and wherever', () => {
  verifies('T3.4');
  const world = start();
  const proofs: unknown[] = [];
  for (const [at, who] of TECHNICIANS.entries()) {
    moveTo(world, 'IN_PROGRESS', who);
    const asked = world.must(technician(who), 'tech.request_change', IDS.ticket, {
      kind: 'NTE_INCREASE',
      lines: lines(12_000),
      photos: [IDS.evidence],
      reason: FREE_TEXT,
    }) as Accepted;
    proofs.push(asked.answer.result.proof);
    const approval = asked.changes.approval;
    assert.ok(approval);
    const who2 = { caller: stepUpCaller(approval.action_digest), subject: ALAN };
    world.must(who2, 'approval.decide', approval.id, {
      decision: 'APPROVE',
      action_digest: approval.action_digest,
    });
    assert.equal(world.facts.ticket?.nte_cents, 75_000 + 12_000 * (at + 1));
    world.advance(2 * HOUR);
  }
  moveTo(world, 'TRIAGED', null);
  const third = world.must(DANA, 'approval.request', IDS.ticket, {
    kind: 'NTE_INCREASE',
    lines: lines(1_001),
    reason: FREE_TEXT,
  });
  assert.deepEqual([...proofs, third.answer.result.proof], ['L2', 'L2', 'L3']);
});
