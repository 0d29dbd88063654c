import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ALL_EDGES } from '@deadlatch/catalogue';
import type { EvidenceRow, TicketRow } from '@deadlatch/decision';
import { guardsAgainst } from '../../../../test/mistakes.ts';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  effectOf,
  finalEvidence,
  newEvidence,
  newId,
  newTicket,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { attack, NO_GRANT, plantedEffect, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import { mapCommitError } from '../errors.ts';
import type { Pool } from '../pool.ts';
import { type Sql, sql } from '../sql.ts';
import { assertTransitions } from '../transitions.ts';

let db: TestDatabase;
let pool: Pool;
let path: CommandPath;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch);
  path = createCommandPath(pool);
});
after(async () => {
  await pool.end();
  await db.drop();
});

async function triaged(): Promise<TicketRow> {
  const ticket = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
  const after = next(ticket, { state: 'TRIAGED' });
  await path.commitDecision(ticketStep(t, 'ticket.triage', ticket, after));
  return after;
}

/** What an attacker with dispatch-api's own role would write first. */
const evented = (effect: { id: string; version: number; from: string; to: string; command: string }): Sql[] =>
  plantedEffect(t.tenantId, 'ticket', effect.id, effect.command, effect.to, effect.from, effect.version);
const setState = (id: string, version: number, state: string) => sql`
  update dispatch.tickets set version = ${version}, state = ${state} where id = ${id}`;

test('a ticket changes with its event, and not without', async () => {
  verifies('T4.7', 'F.1');
  const ticket = await triaged();
  const ready = {
    id: ticket.id,
    version: 3,
    from: 'TRIAGED',
    to: 'READY_TO_SCHEDULE',
    command: 'ticket.ready',
  };
  assert.equal(
    await attack(pool, t.tenantId, setState(ticket.id, 3, 'READY_TO_SCHEDULE')),
    'change_without_event',
  );
  assert.equal(
    await attack(pool, t.tenantId, ...evented(ready), setState(ticket.id, 3, 'READY_TO_SCHEDULE')),
    'allowed',
  );
});

test('an event alone does not bind a different state, nor a state without a new version', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const ready = {
    id: ticket.id,
    version: 3,
    from: 'TRIAGED',
    to: 'READY_TO_SCHEDULE',
    command: 'ticket.ready',
  };
  assert.equal(
    await attack(pool, t.tenantId, ...evented(ready), setState(ticket.id, 3, 'CLOSED')),
    'change_without_event',
  );
  assert.equal(
    await attack(pool, t.tenantId, sql`update dispatch.tickets set state = 'CLOSED' where id = ${ticket.id}`),
    'change_without_event',
  );
  assert.equal(
    await attack(pool, t.tenantId, sql`update dispatch.tickets set nte_cents = 1 where id = ${ticket.id}`),
    'change_without_event',
  );
});

test('an effect prepared by an earlier transaction is not the event of this one', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const ready = {
    id: ticket.id,
    version: 3,
    from: 'TRIAGED',
    to: 'READY_TO_SCHEDULE',
    command: 'ticket.ready',
  };
  assert.equal(await attack(pool, t.tenantId, ...evented(ready)), 'allowed');
  assert.equal(
    await attack(pool, t.tenantId, setState(ticket.id, 3, 'READY_TO_SCHEDULE')),
    'change_without_event',
  );
});

test('the effect of another kind of object does not count', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const planted = plantedEffect(
    t.tenantId,
    'conversation',
    ticket.id,
    'conversation.take_over',
    'HUMAN',
    'AGENT',
    3,
  );
  assert.equal(
    await attack(pool, t.tenantId, ...planted, setState(ticket.id, 3, 'HUMAN')),
    'change_without_event',
  );
});

test('a version is never skipped and never taken back', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  for (const version of [1, 2, 4]) {
    const step = {
      id: ticket.id,
      version,
      from: 'TRIAGED',
      to: 'READY_TO_SCHEDULE',
      command: 'ticket.ready',
    };
    const refusal = await attack(pool, t.tenantId, ...evented(step), setState(ticket.id, version, step.to));
    assert.ok(refusal === 'version_step' || refusal === 'effects_pkey', `${version}: ${refusal}`);
  }
});

test('the event must tell the state the row really came from', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const lie = { id: ticket.id, version: 3, from: 'SCHEDULED', to: 'DISPATCHED', command: 'visit.dispatch' };
  assert.equal(
    await attack(pool, t.tenantId, ...evented(lie), setState(ticket.id, 3, 'DISPATCHED')),
    'illegal_transition',
  );
});

test('no transition outside the catalogue', async () => {
  verifies('T4.7', 'C.3', 'C.8');
  const ticket = await triaged();
  for (const [command, to] of [
    ['ticket.ready', 'CLOSED'],
    ['ticket.close', 'CLOSED'],
    ['tech.complete', 'COMPLETED_PENDING_VERIFICATION'],
    ['no.such_command', 'CANCELLED'],
    ['ticket.triage', 'NO_SUCH_STATE'],
  ] as const) {
    const step = { id: ticket.id, version: 3, from: 'TRIAGED', to, command };
    assert.equal(
      await attack(pool, t.tenantId, ...evented(step), setState(ticket.id, 3, to)),
      'effects_transition_fkey',
      `${command} to ${to}`,
    );
  }
});

test('an edge that left the catalogue is kept for history and cannot be used', async () => {
  verifies('T4.7');
  const ticket = await triaged();
  const admin = testPool(db.adminUrl, 1);
  await admin.query("update dispatch.transitions set mode = 'retired' where command = 'ticket.ready'");
  const outcome = await refusalOf(
    path.commitDecision(ticketStep(t, 'ticket.ready', ticket, next(ticket, { state: 'READY_TO_SCHEDULE' }))),
  );
  await admin.query("update dispatch.transitions set mode = 'plain' where command = 'ticket.ready'");
  await admin.end();
  assert.equal(outcome, 'illegal_transition');
});

test('mistake 6: the database has exactly the edges the code has, and a start notices when not', async () => {
  guardsAgainst(6);
  verifies('T4.7');
  await assertTransitions(pool);
  const { rows } = await pool.query("select count(*) as n from dispatch.transitions where mode <> 'retired'");
  assert.equal(rows[0]?.n, ALL_EDGES.length);
  const admin = testPool(db.adminUrl, 1);
  await admin.query(
    "update dispatch.transitions set mode = 'retired' where command = 'visit.dispatch_emergency'",
  );
  await assert.rejects(assertTransitions(pool), { name: 'StartError', code: 'not_migrated' });
  await admin.query(
    "update dispatch.transitions set mode = 'plain' where command = 'visit.dispatch_emergency'",
  );
  await admin.end();
});

test('a pause remembers exactly where it came from', async () => {
  const ticket = await triaged();
  const asked = (resume_state: TicketRow['resume_state']) =>
    ticketStep(t, 'approval.request', ticket, next(ticket, { state: 'APPROVAL_REQUIRED', resume_state }));
  assert.equal(await refusalOf(path.commitDecision(asked('IN_PROGRESS'))), 'resume_state');
  assert.equal(await refusalOf(path.commitDecision(asked(null))), 'resume_state');
  assert.equal(await refusalOf(path.commitDecision(asked('TRIAGED'))), 'allowed');
});

test('mistake 5: a resume leads back to where it came from, and READY only for a proposal or a return trip', async () => {
  guardsAgainst(5);
  const before = await triaged();
  const ticket = next(before, { state: 'APPROVAL_REQUIRED', resume_state: 'TRIAGED' });
  await path.commitDecision(ticketStep(t, 'approval.request', before, ticket));
  const to = (state: TicketRow['state'], command = 'approval.decide') =>
    refusalOf(
      path.commitDecision(ticketStep(t, command, ticket, next(ticket, { state, resume_state: null }))),
    );
  assert.equal(await to('IN_PROGRESS'), 'resume_state');
  assert.equal(await to('ON_SITE', 'approval.expire'), 'resume_state');
  assert.equal(await to('READY_TO_SCHEDULE'), 'allowed');
});

test('a stale version is a conflict, whoever read it first', async () => {
  verifies('R.2');
  const ticket = await triaged();
  const first = ticketStep(t, 'ticket.ready', ticket, next(ticket, { state: 'READY_TO_SCHEDULE' }));
  const second = ticketStep(t, 'ticket.cancel', ticket, next(ticket, { state: 'CANCELLED' }));
  const outcomes = await Promise.allSettled([path.commitDecision(first), path.commitDecision(second)]);
  const failed = outcomes.filter((o) => o.status === 'rejected');
  assert.equal(failed.length, 1);
  assert.equal(mapCommitError((failed[0] as PromiseRejectedResult).reason).kind, 'version_conflict');
  const again = ticketStep(t, 'ticket.cancel', ticket, next(ticket, { state: 'CANCELLED' }));
  await assert.rejects(path.commitDecision(again), (e) => mapCommitError(e).kind === 'version_conflict');
});

test('an update that matches nothing raises: the event does not commit without its effect', async () => {
  verifies('F.1', 'T2.1');
  const ghost = newTicket(t, { version: 2, state: 'TRIAGED' });
  const commit = commitOf(t, 'ticket.triage', {
    effects: [effectOf('ticket', { ...ghost, state: 'NEW' }, ghost)],
    changes: { ticket: ghost },
  });
  await assert.rejects(path.commitDecision(commit), (e) => mapCommitError(e).kind === 'version_conflict');
  const release = commitOf(t, 'x', { changes: { release_booking_of: newId() } });
  await assert.rejects(path.commitDecision(release), (e) => mapCommitError(e).kind === 'version_conflict');
  const { rows } = await testAdmin('select 1 from audit.events where id = any($1)', [
    [commit.event.id, release.event.id],
  ]);
  assert.deepEqual(rows, []);
});

test('tickets are never removed, and who or where a ticket is never changes', async () => {
  const ticket = await triaged();
  assert.equal(await refusalOf(pool.query('delete from dispatch.tickets')), NO_GRANT);
  for (const column of [
    'site_id',
    'account_id',
    'requester_id',
    'reference',
    'created_at',
    'tenant_id',
    'id',
  ]) {
    assert.equal(
      await refusalOf(
        pool.query(`update dispatch.tickets set ${column} = ${column} where id = $1`, [ticket.id]),
      ),
      NO_GRANT,
      column,
    );
  }
});

test('evidence is final once it is finalized', async () => {
  verifies('R.7');
  const ticket = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
  const asked = newEvidence(t, ticket.id);
  const presigned = next(ticket);
  await path.commitDecision(
    ticketStep(t, 'evidence.presign', ticket, presigned, {
      effects: [effectOf('evidence', null, asked)],
      changes: { evidence: asked },
    }),
  );
  const final = finalEvidence(asked);
  const finalized = next(presigned);
  await path.commitDecision(
    ticketStep(t, 'evidence.finalize', presigned, finalized, {
      effects: [effectOf('evidence', asked, final)],
      changes: { evidence: final },
    }),
  );
  const swapped = next(final, { content_key: 'f'.repeat(64) });
  const again = ticketStep(t, 'evidence.finalize', finalized, next(finalized), {
    effects: [effectOf('evidence', final, swapped)],
    changes: { evidence: swapped },
  });
  assert.equal(await refusalOf(path.commitDecision(again)), 'effects_transition_fkey');
  assert.equal(
    await attack(
      pool,
      t.tenantId,
      sql`update dispatch.evidence set content_key = 'f' where id = ${final.id}`,
    ),
    'change_without_event',
  );
  for (const column of ['sha256', 'size_bytes', 'key', 'phase', 'ticket_id', 'created_by_id']) {
    assert.equal(await refusalOf(pool.query(`update dispatch.evidence set ${column} = ${column}`)), NO_GRANT);
  }
});

test('final evidence has a picture, and no name but the one that the picture has', async () => {
  verifies('R.7', 'C.4');
  const ticket = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
  const asked = newEvidence(t, ticket.id);
  const presigned = next(ticket);
  await path.commitDecision(
    ticketStep(t, 'evidence.presign', ticket, presigned, {
      effects: [effectOf('evidence', null, asked)],
      changes: { evidence: asked },
    }),
  );
  const finalize = (patch: Partial<EvidenceRow>) => {
    const final = { ...finalEvidence(asked), ...patch };
    const step = ticketStep(t, 'evidence.finalize', presigned, next(presigned), {
      effects: [effectOf('evidence', asked, final)],
      changes: { evidence: final },
    });
    return path.commitDecision(step);
  };
  const bad: readonly (readonly [Partial<EvidenceRow>, string])[] = [
    [{ kept_sha256: null, kept_size_bytes: null }, 'evidence_final_is_kept'],
    [{ kept_size_bytes: null }, 'evidence_kept_is_whole'],
    [{ kept_sha256: 'f'.repeat(64) }, 'evidence_kept_is_named'],
    [{ content_key: `uploads/${t.tenantId}/x` }, 'evidence_kept_is_named'],
    [{ state: 'PRESIGNED' as const }, 'effects_transition_fkey'],
  ];
  for (const [patch, constraint] of bad) {
    assert.equal(await refusalOf(finalize(patch)), constraint, JSON.stringify(patch));
  }
  await finalize({});
});

async function testAdmin(text: string, values: unknown[]) {
  const admin = testPool(db.adminUrl, 1);
  try {
    return await admin.query(text, values);
  } finally {
    await admin.end();
  }
}
