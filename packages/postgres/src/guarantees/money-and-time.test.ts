import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ApprovalRow, TicketRow, VisitRow } from '@deadlatch/decision';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import {
  effectOf,
  instantIn,
  newApproval,
  newInvoice,
  newTicket,
  newVisit,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, plantedEffect, refusalOf } from '../../../../test/support/refusal.ts';
import { newOption, proposal, readyTicket } from '../../../../test/support/schedule-commits.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import { mapCommitError } from '../errors.ts';
import type { Pool } from '../pool.ts';
import { sql } from '../sql.ts';

const HOUR = 3_600_000;
let db: TestDatabase;
let pool: Pool;
let path: CommandPath;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch, 10);
  path = createCommandPath(pool);
});
after(async () => {
  await pool.end();
  await db.drop();
});

const commit = (...args: Parameters<typeof ticketStep>) =>
  refusalOf(path.commitDecision(ticketStep(...args)));

async function triaged(over: Partial<TicketRow> = {}): Promise<TicketRow> {
  const ticket = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
  const after = next(ticket, { state: 'TRIAGED', base_nte_cents: 75_000, nte_cents: 75_000, ...over });
  await path.commitDecision(ticketStep(t, 'ticket.triage', ticket, after));
  return after;
}

/** The commit that sends `technician` from `startsInMs` for two hours. */
async function dispatchCommit(technicianId: string, startsInMs: number) {
  const ticket = await triaged();
  const visit = newVisit(t, ticket.id, {
    technician_id: technicianId,
    starts_at: instantIn(startsInMs),
    ends_at: instantIn(startsInMs + 2 * HOUR),
  });
  const booking = {
    visit_id: visit.id,
    technician_id: technicianId,
    starts_at: visit.starts_at,
    ends_at: visit.ends_at,
  };
  const dispatched = next(ticket, { state: 'DISPATCHED' });
  return {
    visit,
    dispatched,
    commit: ticketStep(t, 'visit.dispatch_emergency', ticket, dispatched, {
      effects: [effectOf('visit', null, visit)],
      changes: { visit, booking },
    }),
  };
}

async function working(): Promise<{ ticket: TicketRow; visit: VisitRow }> {
  const { visit: offered, dispatched, commit: first } = await dispatchCommit(t.technicians.tom, nextSlot());
  await path.commitDecision(first);
  const accepted = next(offered, { state: 'ACCEPTED' });
  let ticket = next(dispatched);
  await path.commitDecision(
    ticketStep(t, 'visit.accept', dispatched, ticket, {
      effects: [effectOf('visit', offered, accepted)],
      changes: { visit: accepted },
    }),
  );
  const visit = next(accepted, { state: 'ON_SITE', checked_in_at: instantIn() });
  const onSite = next(ticket, { state: 'ON_SITE' });
  await path.commitDecision(
    ticketStep(t, 'tech.check_in', ticket, onSite, {
      effects: [effectOf('visit', accepted, visit)],
      changes: { visit },
    }),
  );
  ticket = next(onSite, { state: 'IN_PROGRESS' });
  await path.commitDecision(ticketStep(t, 'tech.start', onSite, ticket));
  return { ticket, visit };
}

let slots = 0;
/** Far apart, so that tests do not book over each other. */
function nextSlot(): number {
  slots += 1;
  return slots * 100 * HOUR;
}

async function withPendingApproval(): Promise<{ ticket: TicketRow; approval: ApprovalRow }> {
  const { ticket } = await working();
  const approval = newApproval(t, ticket);
  const waiting = next(ticket, { state: 'APPROVAL_REQUIRED', resume_state: 'IN_PROGRESS' });
  await path.commitDecision(
    ticketStep(t, 'tech.request_change', ticket, waiting, {
      effects: [effectOf('approval', null, approval)],
      changes: { approval },
    }),
  );
  return { ticket: waiting, approval };
}

function approve(ticket: TicketRow, approval: ApprovalRow, nteCents: number) {
  const consumed = next(approval, {
    state: 'CONSUMED',
    decided_by: `contact:${t.contacts.alan}`,
    decided_at: instantIn(),
  });
  const resumed = next(ticket, { state: 'IN_PROGRESS', resume_state: null, nte_cents: nteCents });
  const step = ticketStep(t, 'approval.decide', ticket, resumed, {
    effects: [effectOf('approval', approval, consumed)],
    changes: { approval: consumed },
  });
  return { consumed, resumed, step };
}

test('mistake 11: eight dispatchers book one technician for the same time; one succeeds', async () => {
  guardsAgainst(11);
  verifies('T4.7', 'R.2');
  const at = nextSlot();
  const commits = await Promise.all(
    Array.from({ length: 8 }, (_, n) => dispatchCommit(t.technicians.tess, at + n * 60_000)),
  );
  const outcomes = await Promise.allSettled(commits.map((c) => path.commitDecision(c.commit)));
  const kinds = outcomes.map((o) => (o.status === 'fulfilled' ? 'ok' : mapCommitError(o.reason).kind));
  assert.equal(kinds.filter((k) => k === 'ok').length, 1);
  // A deadlock among waiting bookings is decided again and then finds the booking.
  for (const kind of kinds) assert.match(kind, /^(ok|double_booking|version_conflict)$/);
  const nextDay = await dispatchCommit(t.technicians.tess, at + 24 * HOUR);
  assert.equal(await refusalOf(path.commitDecision(nextDay.commit)), 'allowed');
});

test('half-open: a visit may begin the moment another ends, and overlaps by a second not at all', async () => {
  verifies('T4.7');
  const at = nextSlot();
  const first = await dispatchCommit(t.technicians.tess, at);
  await path.commitDecision(first.commit);
  const book = async (startsAt: string) => {
    const ticket = await triaged();
    const ends = new Date(Date.parse(startsAt) + HOUR).toISOString();
    const visit = newVisit(t, ticket.id, {
      technician_id: t.technicians.tess,
      starts_at: startsAt,
      ends_at: ends,
    });
    return commit(t, 'visit.dispatch_emergency', ticket, next(ticket, { state: 'DISPATCHED' }), {
      effects: [effectOf('visit', null, visit)],
      changes: {
        visit,
        booking: {
          visit_id: visit.id,
          technician_id: visit.technician_id,
          starts_at: startsAt,
          ends_at: ends,
        },
      },
    });
  };
  const end = Date.parse(first.visit.ends_at);
  assert.equal(await book(new Date(end - 1_000).toISOString()), 'bookings_no_overlap');
  assert.equal(await book(new Date(end).toISOString()), 'allowed');
});

test('an expired soft hold gives way, a living one does not', async () => {
  const hold = async (from: number, until: string) => {
    const ready = await readyTicket(path, t);
    const over = { technician_id: t.technicians.tess, held_until: until };
    return refusalOf(path.commitDecision(proposal(t, ready, [newOption(t, ready.id, from, over)])));
  };
  const at = nextSlot();
  assert.equal(await hold(at, instantIn(-1_000)), 'allowed');
  const over = await dispatchCommit(t.technicians.tess, at);
  assert.equal(await refusalOf(path.commitDecision(over.commit)), 'allowed');
  const later = nextSlot();
  assert.equal(await hold(later, instantIn(HOUR)), 'allowed');
  assert.equal(await hold(later, instantIn(HOUR)), 'bookings_no_overlap');
  const blocked = await dispatchCommit(t.technicians.tess, later);
  assert.equal(await refusalOf(path.commitDecision(blocked.commit)), 'bookings_no_overlap');
});

test('a ticket has one live visit', async () => {
  verifies('R.2');
  const { ticket } = await working();
  const second = newVisit(t, ticket.id, { technician_id: t.technicians.tess });
  assert.equal(
    await commit(t, 'part.record', ticket, next(ticket), {
      effects: [{ ...effectOf('visit', null, second) }],
      changes: { visit: second },
    }),
    'effects_transition_fkey',
  );
  assert.equal(
    await attack(
      pool,
      t.tenantId,
      ...plantedEffect(t.tenantId, 'visit', second.id, 'visit.reassign', 'OFFERED'),
      sql`insert into dispatch.visits (tenant_id, id, version, state, ticket_id, technician_id, emergency, starts_at, ends_at, offered_by)
          values (${t.tenantId}, ${second.id}, 1, 'OFFERED', ${ticket.id}, ${second.technician_id}, false, now(), now() + interval '1 hour', 'x')`,
    ),
    'visits_one_live_per_ticket',
  );
});

test('a site belongs to the account of its ticket', async () => {
  verifies('T4.7');
  assert.equal(await commit(t, 'ticket.create', null, newTicket(t, { site_id: t.otherSiteId })), 'allowed');
  assert.equal(
    await commit(t, 'ticket.create', null, newTicket(t, { site_id: t.otherAccountSiteId })),
    'tickets_site_of_account',
  );
  assert.equal(
    await commit(t, 'ticket.create', null, newTicket(t, { account_id: t.otherAccountId })),
    'tickets_site_of_account',
  );
});

test('the NTE is never below its base, nor below what was spent', async () => {
  verifies('T4.7');
  const { ticket } = await working();
  const lower = next(ticket, { nte_cents: 74_999 });
  assert.equal(await commit(t, 'part.record', ticket, lower), 'tickets_nte_at_least_base');
  const spentOn = next(ticket);
  assert.equal(
    await commit(t, 'part.record', ticket, spentOn, {
      changes: { part: { part_number: 'P', quantity: 3, unit_cents: 20_000 } },
    }),
    'allowed',
  );
  const timed = next(spentOn);
  assert.equal(await commit(t, 'time.record', spentOn, timed, { changes: { minutes: 60 } }), 'allowed');
  // 3 x 200.00 + 1 h at 90.00 = 690.00
  const below = next(timed, { base_nte_cents: 0, nte_cents: 68_999 });
  assert.equal(await commit(t, 'part.record', timed, below), 'nte_below_commitments');
  const exactly = next(timed, { base_nte_cents: 0, nte_cents: 69_000 });
  assert.equal(await commit(t, 'part.record', timed, exactly), 'allowed');
});

test('mistake 4: an approval is consumed only together with the raised NTE', async () => {
  verifies('T3.4', 'T4.7');
  const { ticket, approval } = await withPendingApproval();
  const unraised = approve(ticket, approval, ticket.nte_cents).step;
  assert.equal(await refusalOf(path.commitDecision(unraised)), 'nte_below_commitments');
  const raised = approve(ticket, approval, approval.new_nte_cents);
  assert.equal(await refusalOf(path.commitDecision(raised.step)), 'allowed');
  const takenBack = next(raised.resumed, { nte_cents: approval.new_nte_cents - 1 });
  assert.equal(await commit(t, 'part.record', raised.resumed, takenBack), 'nte_below_commitments');
});

test('an approval is consumed once, also when two decide at the same moment', async () => {
  verifies('T3.4');
  const { ticket, approval } = await withPendingApproval();
  const both = await Promise.allSettled(
    [1, 2].map(() => path.commitDecision(approve(ticket, approval, approval.new_nte_cents).step)),
  );
  assert.equal(both.filter((o) => o.status === 'fulfilled').length, 1);
  const { consumed, resumed } = approve(ticket, approval, approval.new_nte_cents);
  const again = next(consumed);
  assert.equal(
    await attack(
      pool,
      t.tenantId,
      ...plantedEffect(
        t.tenantId,
        'approval',
        approval.id,
        'approval.decide',
        'CONSUMED',
        'PENDING',
        again.version,
      ),
      sql`update dispatch.approvals set version = ${again.version}, state = 'CONSUMED' where id = ${approval.id}`,
    ),
    'illegal_transition',
  );
  assert.equal(
    await commit(t, 'part.record', resumed, next(resumed), {
      effects: [effectOf('approval', consumed, again)],
      changes: { approval: again },
    }),
    'effects_transition_fkey',
  );
});

test('what was asked cannot be edited; only what became of it is written', async () => {
  verifies('T3.4');
  const { approval } = await withPendingApproval();
  for (const column of [
    'amount_cents',
    'new_nte_cents',
    'lines',
    'action_digest',
    'decider_id',
    'expires_at',
  ]) {
    assert.equal(
      await refusalOf(
        pool.query(`update dispatch.approvals set ${column} = ${column} where id = $1`, [approval.id]),
      ),
      NO_GRANT,
      column,
    );
  }
});

test('a ticket has one pending approval', async () => {
  const { ticket, approval } = await withPendingApproval();
  const second = newApproval(t, ticket);
  assert.equal(
    await attack(
      pool,
      t.tenantId,
      ...plantedEffect(t.tenantId, 'approval', second.id, 'tech.request_change', 'PENDING'),
      sql`insert into dispatch.approvals
          select (jsonb_populate_record(null::dispatch.approvals, ${JSON.stringify(second)}::jsonb)).*`,
    ),
    'approvals_one_pending_per_ticket',
  );
  const denied = next(approval, { state: 'DENIED', decided_by: 'contact:x', decided_at: instantIn() });
  const resumed = next(ticket, { state: 'IN_PROGRESS', resume_state: null, scope_capped: true });
  assert.equal(
    await commit(t, 'approval.decide', ticket, resumed, {
      effects: [effectOf('approval', approval, denied)],
      changes: { approval: denied },
    }),
    'allowed',
  );
});

test('amounts are whole cents: in columns, in lines, in parts', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const fraction = '22P02';
  assert.equal(await commit(t, 'ticket.retriage', ticket, next(ticket, { nte_cents: 80_000.5 })), fraction);
  const working_ = (await working()).ticket;
  const part = (unit_cents: number) => ({ part: { part_number: 'P', quantity: 1, unit_cents } });
  assert.equal(await commit(t, 'part.record', working_, next(working_), { changes: part(0.5) }), fraction);
  assert.equal(
    await commit(t, 'part.record', working_, next(working_), { changes: part(-1) }),
    'parts_unit_cents_check',
  );
  const asked = (unit_cents: number) => {
    const approval = newApproval(t, working_, {
      lines: [{ kind: 'PART', quantity: 1, unit_cents, incurred: 'no' }],
    });
    return commit(
      t,
      'tech.request_change',
      working_,
      next(working_, { state: 'APPROVAL_REQUIRED', resume_state: 'IN_PROGRESS' }),
      {
        effects: [effectOf('approval', null, approval)],
        changes: { approval },
      },
    );
  };
  assert.equal(await asked(100.5), 'whole_cents');
  assert.equal(await asked(-1), 'whole_cents');
  assert.equal(await asked(100), 'allowed');
});

test('an invoice stays within its NTE, belongs to its account, and is the only live one', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const insert = (over: Parameters<typeof newInvoice>[2]) => {
    const invoice = newInvoice(t, ticket, over);
    return attack(
      pool,
      t.tenantId,
      ...plantedEffect(t.tenantId, 'invoice', invoice.id, 'billing.generate_invoice', 'DRAFT'),
      sql`insert into dispatch.invoices
          select (jsonb_populate_record(null::dispatch.invoices, ${JSON.stringify(invoice)}::jsonb)).*`,
    );
  };
  assert.equal(await insert({ total_cents: 75_001 }), 'invoices_within_nte');
  assert.equal(await insert({ account_id: t.otherAccountId }), 'account_of_ticket');
  assert.equal(await insert({}), 'allowed');
  assert.equal(await insert({}), 'invoices_one_live_per_ticket');
});
