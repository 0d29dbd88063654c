import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ChoiceRow } from '@deadlatch/decision';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  effectOf,
  instantIn,
  newId,
  newMessage,
  newVisit,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { newOption, playSchedule, proposal, readyTicket } from '../../../../test/support/schedule-commits.ts';
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
let played: Awaited<ReturnType<typeof playSchedule>>;
let slots = 5_000;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch, 10);
  path = createCommandPath(pool);
  played = await playSchedule(path, t);
});
after(async () => {
  await pool.end();
  await db.drop();
});

/** Hours from now that no other test books. */
const nextSlot = () => {
  slots += 10;
  return slots * HOUR;
};

async function offered(from: number, heldUntil = instantIn(HOUR)) {
  const ready = await readyTicket(path, t);
  const option = newOption(t, ready.id, from, { held_until: heldUntil });
  await path.commitDecision(proposal(t, ready, [option]));
  return { option, proposed: next(ready, { state: 'SCHEDULE_PROPOSED' }) };
}

type Offered = Awaited<ReturnType<typeof offered>>;

const confirmation = ({ option, proposed }: Offered) =>
  ticketStep(t, 'schedule.confirm', proposed, next(proposed, { state: 'SCHEDULED' }), {
    changes: { confirm_option: option.id },
  });

const choose = (over: Partial<ChoiceRow>) => {
  const message = newMessage(t, { contact_id: t.contacts.maria });
  const choice: ChoiceRow = { ...played.choice, id: newId(), message_id: message.id, ...over };
  return refusalOf(
    path.commitDecision(commitOf(t, 'message.receive', { changes: { inbound_message: message, choice } })),
  );
};

test('a choice is used up once, is of an option of its own ticket, and a message holds one', async () => {
  verifies('T1.10', 'T4.7');
  const again = commitOf(t, 'schedule.confirm', { changes: { consume_choice: played.choice.id } });
  assert.equal(await refusalOf(path.commitDecision(again)), 'consumed_choices_pkey');
  assert.equal(await choose({}), 'allowed');
  assert.equal(await choose({ message_id: played.choice.message_id }), 'choices_message_key');
  const other = await readyTicket(path, t);
  assert.match(await choose({ ticket_id: other.id }), /^choices_tenant_id_option_id_ticket_id/);
  assert.match(await choose({ kind: 'OTHER_TIME' }), /^choices_check/);
  assert.match(await choose({ option_id: null }), /^choices_check/);
});

test('what was chosen is never edited, taken back or forgotten', async () => {
  verifies('T1.10');
  for (const statement of [
    sql`update dispatch.choices set option_id = null`,
    sql`delete from dispatch.choices`,
    sql`delete from dispatch.consumed_choices`,
    sql`update dispatch.schedule_options set technician_id = ${t.technicians.tess}`,
    sql`delete from dispatch.schedule_options`,
    sql`update dispatch.bookings set held_until = null`,
  ]) {
    assert.equal(await attack(pool, t.tenantId, statement), NO_GRANT);
  }
});

test('time is taken for a visit or for an option, and a visit’s never ends by itself', async () => {
  const book = (column: string, id: string, heldUntil: string | null) =>
    attack(
      pool,
      t.tenantId,
      column === 'none'
        ? sql`insert into dispatch.bookings (tenant_id, technician_id, starts_at, ends_at, held_until)
              values (${t.tenantId}, ${t.technicians.tom}, now(), now() + interval '1 hour', ${heldUntil})`
        : sql`insert into dispatch.bookings (tenant_id, technician_id, visit_id, option_id, starts_at, ends_at, held_until)
              values (${t.tenantId}, ${t.technicians.tom}, ${column === 'option' ? null : id},
                ${column === 'visit' ? null : id}, now(), now() + interval '1 hour', ${heldUntil})`,
    );
  assert.equal(await book('none', '', instantIn(HOUR)), 'bookings_for_something');
  assert.equal(await book('both', newId(), null), 'bookings_for_something');
  assert.equal(await book('visit', newId(), instantIn(HOUR)), 'bookings_visits_are_firm');
  assert.equal(await book('option', played.option.id, null), 'bookings_option_key');
});

test('a hold that is over when it is agreed on is not agreed on; one that lives is, once', async () => {
  verifies('R.2');
  const over = await offered(nextSlot(), instantIn(-1_000));
  assert.equal(await refusalOf(path.commitDecision(confirmation(over))), 'version_conflict');
  const live = await offered(nextSlot());
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, () => path.commitDecision(confirmation(live))),
  );
  const kinds = outcomes.map((o) => (o.status === 'fulfilled' ? 'ok' : mapCommitError(o.reason).kind));
  assert.equal(kinds.filter((kind) => kind === 'ok').length, 1);
  assert.ok(
    kinds.every((kind) => kind === 'ok' || kind === 'version_conflict'),
    kinds.join(),
  );
});

test('mistake 11: from the offer over the agreement to the visit nobody else ever gets the time', async () => {
  guardsAgainst(11);
  verifies('T4.7');
  const at = nextSlot();
  const mine = await offered(at);
  const rival = async () => {
    const ready = await readyTicket(path, t);
    return refusalOf(path.commitDecision(proposal(t, ready, [newOption(t, ready.id, at)])));
  };
  const fight = async (step: Promise<unknown>) => {
    const [done, ...rivals] = await Promise.all([refusalOf(step), ...Array.from({ length: 8 }, rival)]);
    assert.equal(done, 'allowed');
    // Whoever waits for another is decided again when both wait; never does one of them get the time.
    assert.ok(
      rivals.every((one) => one === 'bookings_no_overlap' || one === '40P01'),
      rivals.join(),
    );
  };
  await fight(path.commitDecision(confirmation(mine)));
  const scheduled = next(mine.proposed, { state: 'SCHEDULED' });
  const { visit_from: starts_at, visit_to: ends_at, technician_id } = mine.option;
  const visit = newVisit(t, scheduled.id, { technician_id, starts_at, ends_at, emergency: false });
  const booking = { visit_id: visit.id, technician_id, starts_at, ends_at, option_id: mine.option.id };
  await fight(
    path.commitDecision(
      ticketStep(t, 'visit.dispatch', scheduled, next(scheduled, { state: 'DISPATCHED' }), {
        effects: [effectOf('visit', null, visit)],
        changes: { visit, booking },
      }),
    ),
  );
});

test('what is taken back frees its time in the same commit', async () => {
  const at = nextSlot();
  const mine = await offered(at);
  const released = ticketStep(
    t,
    'schedule.release',
    mine.proposed,
    next(mine.proposed, { state: 'READY_TO_SCHEDULE' }),
    { changes: { end_options_of: mine.proposed.id } },
  );
  await path.commitDecision(released);
  assert.equal(await refusalOf(offered(at)), 'allowed');
});
