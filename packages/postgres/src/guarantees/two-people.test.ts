import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ConsentDraft, InvoiceRow, TicketRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  effectOf,
  firstMessage,
  instantIn,
  newId,
  newInvoice,
  newTicket,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { newConsent, newSuggestion } from '../../../../test/support/life-commits.ts';
import { refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';

/** What takes two people, or is only suggested, is so in the database, whatever code commits. */
let db: TestDatabase;
let pool: Pool;
let path: CommandPath;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch, 4);
  path = createCommandPath(pool);
});
after(async () => {
  await pool.end();
  await db.drop();
});

const done = (...args: Parameters<typeof ticketStep>) => path.commitDecision(ticketStep(...args));
const refused = (...args: Parameters<typeof ticketStep>) => refusalOf(done(...args));

/** A ticket with an issued invoice, put there past the road that leads to one. */
async function invoiced(): Promise<{ ticket: TicketRow; invoice: InvoiceRow }> {
  const admin = testPool(db.adminUrl, 1);
  let ticket = newTicket(t);
  await done(t, 'ticket.create', null, ticket);
  const triaged = next(ticket, { state: 'TRIAGED', base_nte_cents: 75_000, nte_cents: 75_000 });
  await done(t, 'ticket.triage', ticket, triaged);
  ticket = next(triaged, { state: 'VERIFIED' });
  // No edge leads from TRIAGED to VERIFIED: the guards are out of the way for this one step.
  const client = await admin.connect();
  await client.query('begin');
  await client.query('set local session_replication_role = replica');
  await client.query('update dispatch.tickets set version = $2, state = $3 where id = $1', [
    ticket.id,
    ticket.version,
    ticket.state,
  ]);
  await client.query('commit');
  client.release();
  await admin.end();
  const draft = newInvoice(t, ticket);
  const afterwards = next(ticket, { state: 'INVOICED' });
  await done(t, 'billing.generate_invoice', ticket, afterwards, {
    effects: [effectOf('invoice', null, draft)],
    changes: { invoice: draft },
  });
  const issued = next(draft, { state: 'ISSUED', issued_at: instantIn() });
  const last = next(afterwards);
  await done(t, 'billing.issue', afterwards, last, {
    effects: [effectOf('invoice', draft, issued)],
    changes: { invoice: issued },
  });
  return { ticket: last, invoice: issued };
}

test('no second yes without a first of another person, and nobody says yes twice', async () => {
  verifies('T3.5', 'T4.7');
  const created = newTicket(t);
  await done(t, 'ticket.create', null, created);
  let ticket = next(created, { state: 'TRIAGED' });
  await done(t, 'ticket.triage', created, ticket);
  const says = (consent: ConsentDraft) =>
    refused(t, 'ticket.retriage', ticket, next(ticket), { changes: { consent } });
  const asked = newConsent(t);
  const granted = newConsent(t, { role: 'supervisor', staff_id: t.staff.sue });
  assert.equal(await says(granted), 'second_before_first');
  await done(t, 'ticket.retriage', ticket, next(ticket), { changes: { consent: asked } });
  ticket = next(ticket);
  assert.equal(await says({ ...granted, person_id: asked.person_id }), 'second_before_first');
  assert.equal(await says({ ...granted, object: 'photo.before.failed_lock' }), 'second_before_first');
  assert.equal(await says(newConsent(t)), 'consents_once_per_role');
  assert.equal(await says({ ...asked, role: 'finance' }), 'consents_once_per_person');
  assert.equal(await says(granted), 'allowed');
});

test('no invoice is void without both yeses about this very version of it', async () => {
  verifies('T3.11', 'T4.7');
  const { ticket, invoice } = await invoiced();
  const gone = next(invoice, { state: 'VOID' });
  const effects = [effectOf('invoice', invoice, gone)];
  const voids = (of: TicketRow, consent?: ConsentDraft) =>
    refused(t, 'billing.void', of, next(of, { state: 'VERIFIED' }), {
      effects,
      changes: { invoice: gone, ...(consent && { consent }) },
    });
  const about = { act: 'billing.void', object: invoice.id, object_version: invoice.version } as const;
  const first = newConsent(t, { ...about, role: 'finance', staff_id: t.staff.fay });
  const second = newConsent(t, { ...about, role: 'supervisor', staff_id: t.staff.sue });
  assert.equal(await voids(ticket), 'void_by_one');
  assert.equal(await voids(ticket, first), 'void_by_one');
  assert.equal(await voids(ticket, second), 'second_before_first');
  await done(t, 'billing.void', ticket, next(ticket), { changes: { consent: first } });
  const signed = next(ticket);
  assert.equal(await voids(signed, { ...second, object_version: 1 }), 'second_before_first');
  assert.equal(await voids(signed, second), 'allowed');
});

test('a duplicate is over and of another ticket, and a recall is of another', async () => {
  verifies('T4.7');
  const [one, other] = [newTicket(t), newTicket(t)];
  await done(t, 'ticket.create', null, one);
  await done(t, 'ticket.create', null, other);
  const link = (over: Partial<TicketRow>) => refused(t, 'ticket.link_duplicate', one, next(one, over));
  assert.equal(await link({ state: 'CANCELLED', duplicate_of: one.id }), 'tickets_duplicate_is_over');
  assert.equal(
    await link({ state: 'CANCELLED', duplicate_of: newId() }),
    'tickets_tenant_id_duplicate_of_fkey',
  );
  const info = { state: 'NEEDS_INFO', duplicate_of: other.id } as const;
  assert.equal(await refused(t, 'ticket.request_info', one, next(one, info)), 'tickets_duplicate_is_over');
  assert.equal(await link({ state: 'CANCELLED', duplicate_of: other.id }), 'allowed');
  const id = newId();
  assert.equal(
    await refused(t, 'ticket.reopen', null, newTicket(t, { id, recall_of: id })),
    'tickets_recall_of_another',
  );
});

test('one wish is suggested once at a time, is not edited, and is accepted by somebody', async () => {
  verifies('T1.4', 'T4.7');
  const first = firstMessage(t);
  await path.commitDecision(first.commit);
  const of = { conversationId: first.conversation.id, turnId: first.turn.id };
  const wish = newSuggestion(t, of);
  const suggest = (row: typeof wish, before: typeof wish | null, command: string) =>
    refusalOf(
      path.commitDecision(
        commitOf(t, command, {
          effects: [effectOf('suggestion', before, row)],
          changes: { suggestion: row },
        }),
      ),
    );
  assert.equal(await suggest(wish, null, 'ticket.create'), 'allowed');
  const same = newSuggestion(t, of, { sameness: wish.sameness });
  assert.equal(await suggest(same, null, 'ticket.create'), 'suggestions_one_open');
  assert.equal(
    await suggest(next(wish, { state: 'ACCEPTED' }), wish, 'suggestion.accept'),
    'suggestions_decided_by_somebody',
  );
  const decided = { decided_by: t.staff.dana, decided_at: instantIn() };
  // An expiry decides nothing, and no timer accepts.
  assert.notEqual(
    await suggest(next(wish, { state: 'ACCEPTED', ...decided }), wish, 'suggestion.expire'),
    'allowed',
  );
  await assert.rejects(pool.query("update dispatch.suggestions set digest = 'x'"), /permission denied/);
  assert.equal(
    await suggest(next(wish, { state: 'ACCEPTED', ...decided }), wish, 'suggestion.accept'),
    'allowed',
  );
});
