import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { NEEDS } from '@deadlatch/catalogue';
import { verifies } from '../../../test/requirements.ts';
import { playCanonicalCommits } from '../../../test/support/canonical-commits.ts';
import {
  commitOf,
  effectOf,
  newId,
  newTicket,
  newVisit,
  next,
  ticketStep,
} from '../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../test/support/database.ts';
import { refusalOf } from '../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../test/support/seed.ts';
import { type CommandPath, createCommandPath, type ReadFactsInput } from './command-path.ts';
import type { Pool } from './pool.ts';

let db: TestDatabase;
let pool: Pool;
let path: CommandPath;
let t: SeededTenant;
let played: Awaited<ReturnType<typeof playCanonicalCommits>>;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch);
  path = createCommandPath(pool);
  played = await playCanonicalCommits(path, t);
});
after(async () => {
  await pool.end();
  await db.drop();
});

const ask = (over: Partial<ReadFactsInput> = {}): ReadFactsInput => ({
  tenant_id: t.tenantId,
  command: 'ticket.hold',
  target: 'ticket',
  target_id: played.ticket.id,
  needs: NEEDS,
  subject: { kind: 'staff', id: t.staff.dana },
  service: 'web',
  turn_id: null,
  conversation_id: null,
  idempotency: null,
  refs: {},
  ...over,
});

test('rows come back as they were committed: same columns, same values, same instants', async () => {
  const facts = await path.readFacts(ask({ refs: { evidence_id: played.photo.id } }));
  assert.deepEqual(facts.ticket, played.ticket);
  assert.deepEqual(facts.visit, played.visit);
  assert.deepEqual(facts.approvals, [played.approval]);
  assert.deepEqual(facts.evidence_item, played.photo);
  assert.deepEqual(facts.invoice, played.invoice);
  assert.deepEqual(facts.conversation, played.conversation);
  assert.match(facts.now, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('what was done is added up: parts, minutes, the latest result of each test, open remedies', async () => {
  const facts = await path.readFacts(ask());
  assert.deepEqual(facts.costs, {
    parts: [{ part_number: 'L-9080', quantity: 2, unit_cents: 4_500 }],
    minutes: 45,
  });
  assert.deepEqual(
    facts.tests.map(({ recorded_at, ...test }) => ({
      ...test,
      isLater: recorded_at > played.ticket.created_at,
    })),
    [{ test: 'lock_cycles', passed: true, value: 5, isLater: true }],
  );
  assert.equal(facts.completion?.id, played.completionId);
  assert.deepEqual(facts.completion?.open_remedies, []);
  const { id, key, phase, visit_id, finalized_at } = played.photo;
  assert.deepEqual(facts.evidence, [{ id, key, phase, visit_id, finalized_at }]);
});

test('what qa found wanting stays open over another trip and its completion, until it is remedied', async () => {
  verifies('C.4');
  const ticket = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
  const commit = (command: string, over: Parameters<typeof commitOf>[2]) =>
    path.commitDecision(commitOf(t, command, { ticketId: ticket.id, ...over }));
  const open = async () => {
    const { completion } = await path.readFacts(ask({ target_id: ticket.id, needs: ['completion'] }));
    return {
      id: completion?.id,
      open: completion?.open_remedies.map((r) => r.key),
      all: completion?.open_remedies,
    };
  };
  const trip = async () => {
    const visit = newVisit(t, ticket.id);
    await commit('visit.dispatch_emergency', {
      effects: [effectOf('visit', null, visit)],
      changes: { visit },
    });
    const completion = {
      id: newId(),
      visit_id: visit.id,
      submitted_by: t.technicians.tom,
      outcome: 'RESOLVED',
      work_note_text_id: newId(),
      signature_kind: 'signed',
      signature_text_id: newId(),
    } as const;
    await commit('tech.complete', { changes: { completion } });
    const verify = (wanting: string[]) =>
      commit('qa.verify', {
        changes: {
          verification: {
            completion_id: completion.id,
            result: 'FAIL',
            wanting,
            verified_by: t.staff.quinn,
            note_text_id: null,
          },
        },
      });
    const cancelled = next(visit, { state: 'CANCELLED' });
    const end = () =>
      commit('ticket.cancel', {
        effects: [effectOf('visit', visit, cancelled)],
        changes: { visit: cancelled },
      });
    return { completion, verify, end };
  };
  const first = await trip();
  assert.deepEqual((await open()).open, []);
  await first.verify(['photo.after', 'work']);
  const [, work] = (await open()).all ?? [];
  await first.end();
  const second = await trip();
  assert.deepEqual(await open().then(({ id, open: keys }) => ({ id, keys })), {
    id: second.completion.id,
    keys: ['photo.after', 'work'],
  });
  // Found wanting again: what answers must be younger than the last time.
  await second.verify(['work']);
  const again = (await open()).all?.find((r) => r.key === 'work');
  assert.ok(again && work && again.since > work.since);
  await commit('remedy.submit', { changes: { remedies: [{ key: 'work', evidence_id: null }] } });
  assert.deepEqual((await open()).open, ['photo.after']);
  await commit('remedy.submit', { changes: { remedies: [{ key: 'photo.after', evidence_id: null }] } });
  assert.deepEqual((await open()).open, []);
  const nothing = commit('remedy.submit', { changes: { remedies: [{ key: 'work', evidence_id: null }] } });
  assert.equal(await refusalOf(nothing), 'version_conflict');
});

test('subjects: roles of staff, memberships of contacts, nothing for the unknown or impersonal', async () => {
  verifies('T3.1', 'A.3b');
  const dana = await path.readFacts(ask());
  assert.deepEqual(dana.subject?.roles, ['dispatcher']);
  const alan = await path.readFacts(ask({ subject: { kind: 'contact', id: t.contacts.alan } }));
  assert.equal(alan.subject?.memberships[0]?.approval_limit_cents, 500_000);
  assert.equal(alan.subject?.memberships[0]?.site_id, null);
  const tom = await path.readFacts(ask({ subject: { kind: 'technician', id: t.technicians.tom } }));
  assert.deepEqual(tom.subject?.roles, ['technician']);
  for (const subject of [
    { kind: 'staff', id: t.contacts.maria },
    { kind: 'contact', id: t.staff.dana },
    { kind: 'unknown_sender', id: t.contacts.maria },
    { kind: 'system', id: t.staff.dana },
    { kind: 'contact', id: null },
  ] as const) {
    assert.equal((await path.readFacts(ask({ subject }))).subject, null);
  }
});

test('approvers of the account come with their limits, largest last; requesters are not among them', async () => {
  verifies('T3.1', 'T3.5');
  const facts = await path.readFacts(ask({ needs: ['approvals'] }));
  assert.deepEqual(
    facts.approvers.map((a) => [a.contact_id, a.approval_limit_cents]),
    [
      [t.contacts.alan, 500_000],
      [t.contacts.olga, 2_000_000],
    ],
  );
});

test('whoever opened the ticket is known as a person wherever somebody could approve', async () => {
  verifies('T3.5');
  const admin = testPool(db.adminUrl, 1);
  const { rows } = await admin.query('select person_id from dispatch.contacts where id = $1', [
    t.contacts.maria,
  ]);
  await admin.end();
  const facts = await path.readFacts(ask({ needs: ['approvals'] }));
  assert.equal(facts.ticket?.requester_id, t.contacts.maria);
  assert.equal(facts.requester_person_id, rows[0]?.person_id);
  const elsewhere = await path.readFacts(ask({ target: 'none', target_id: null, needs: ['approvals'] }));
  assert.equal(elsewhere.requester_person_id, null);
});

test('an agent without a ticket gets its turn, conversation, that open ticket and the one site it can mean', async () => {
  verifies('T1.9');
  const facts = await path.readFacts(
    ask({ target: 'none', target_id: null, turn_id: played.turn.id, needs: ['turn', 'site'] }),
  );
  assert.equal(facts.turn?.id, played.turn.id);
  assert.equal(facts.turn?.ticket_id, played.ticket.id);
  assert.equal(facts.ticket, null);
  assert.equal(facts.open_ticket_of_conversation?.id, played.ticket.id);
  assert.equal(facts.site?.id, t.siteId);
  assert.equal(facts.account?.id, t.accountId);
});

test('absent is null: an unknown ticket has no ticket, account, site or visit', async () => {
  verifies('C.0');
  const facts = await path.readFacts(ask({ target_id: t.tenantId }));
  assert.deepEqual(
    [facts.ticket, facts.account, facts.site, facts.visit, facts.approval, facts.invoice, facts.conversation],
    [null, null, null, null, null, null, null],
  );
  assert.deepEqual([facts.approvals, facts.approvers, facts.evidence], [[], [], []]);
});

test("another ticket's evidence is unknown", async () => {
  const other = await path.readFacts(ask({ target_id: t.siteId, refs: { evidence_id: played.photo.id } }));
  assert.equal(other.evidence_item, null);
});

test('inbound: a known provider id, the contact, its sites and its conversation; a stranger has none', async () => {
  const inbound = ask({
    target: 'none',
    target_id: null,
    needs: ['inbound'],
    refs: {
      provider_id: played.message.provider_id ?? '',
      contact_id: t.contacts.maria,
      // They write on the web too: each channel is a conversation of its own.
      channel: 'sms',
      sender_hash: 'm'.repeat(43),
    },
  });
  const known = (await path.readFacts(inbound)).inbound;
  assert.equal(known?.known_message_id, played.message.id);
  assert.equal(known?.contact_id, t.contacts.maria);
  assert.deepEqual(known?.site_ids, [t.siteId]);
  assert.deepEqual(known?.contact_account_ids, [t.accountId]);
  assert.equal(known?.conversation?.id, played.conversation.id);
  assert.equal(known?.reported_today, false);
  const stranger = (
    await path.readFacts({ ...inbound, refs: { provider_id: 'SM-new', sender_hash: 'h'.repeat(43) } })
  ).inbound;
  assert.deepEqual(stranger, {
    known_message_id: null,
    contact_id: null,
    contact_account_ids: [],
    site_ids: [],
    conversation: null,
    reported_today: true,
    schedule: null,
  });
});

test('a technician is busy while booked, free otherwise, and has territories to compare with the site', async () => {
  const busy = await path.readFacts(ask({ refs: { technician_id: t.technicians.tess } }));
  assert.equal(busy.technician?.commitments.length, 1);
  assert.ok(busy.technician?.territories.includes(busy.site?.territory ?? ''));
  const free = await path.readFacts(ask({ refs: { technician_id: t.technicians.tom } }));
  assert.deepEqual(free.technician?.commitments, []);
});

test('a pause of the account is seen on its tickets and not elsewhere', async () => {
  assert.equal((await path.readFacts(ask())).autonomy.paused, false);
  const paused = await path.readFacts(
    ask({ target: 'none', target_id: null, refs: { site_id: t.otherAccountSiteId } }),
  );
  assert.deepEqual(paused.autonomy, { level: 2, paused: true });
});
