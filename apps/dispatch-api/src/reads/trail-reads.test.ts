import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type AuditEvent, readEvent } from '@deadlatch/audit-log';
import { createIdMaker } from '@deadlatch/kernel';
import { type Pool, withTenant } from '@deadlatch/postgres';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import type { Proven } from '../command/caller.ts';
import { createTrailReads, type TrailReads } from './trail-reads.ts';

const MINUTE_MS = 60_000;
const TICKET = randomUUID();
const newId = createIdMaker(Date.now, (n) => randomBytes(n));

describe('reading the trail', () => {
  let database: TestDatabase;
  let pool: Pool;
  let t: SeededTenant;
  let now = Date.now();
  let reads: TrailReads;

  before(async () => {
    database = await createTestDatabase();
    pool = testPool(database.urls.dispatch);
    t = await seedTenant(database.adminUrl);
  });
  after(async () => {
    await pool.end();
    await database.drop();
  });
  beforeEach(() => {
    reads = createTrailReads({
      ...{ environment: 'test', policyBundle: 'bundle', newId, capacity: 2 },
      now: () => now,
      traceId: () => null,
    });
  });

  const auditor = (id: string): Proven => ({
    tokenId: randomUUID(),
    requestId: randomUUID(),
    request: {
      ...{
        keyId: 'k',
        service: 'web',
        shape: { write: false, token: true },
        nonce: 'n',
        created: 1,
        expires: 2,
      },
      ...{ idempotencyKey: null, token: null, signatureBase: 'base', signature: 'signature' },
    },
    caller: {
      ...{
        tenantId: t.tenantId,
        service: 'web',
        subject: { kind: 'staff', id },
        assurance: 'L1',
        agent: null,
      },
      scope: 'person',
      context: { correlationId: randomUUID(), conversationId: null, ticketId: null, actionDigest: null },
    },
  });
  const timeline = (id: string) => ({
    ...{ command: 'ticket.timeline', resource: { kind: 'ticket', id }, asked: {}, events: 7 },
  });
  const read = async (proven: Proven, ticketId = TICKET) => {
    const committed = await withTenant(pool, t.tenantId, (tx) =>
      reads.record(tx, proven, timeline(ticketId)),
    );
    committed();
  };
  const asAdmin = async <Row extends object>(query: string, values: unknown[] = []): Promise<Row[]> => {
    const admin = testPool(database.adminUrl, 1);
    try {
      return (await admin.query<Row>(query, values)).rows;
    } finally {
      await admin.end();
    }
  };
  const written = async () => {
    const query = "select body from audit.events where command = 'ticket.timeline' order by at, id";
    return (await asAdmin<{ body: Buffer }>(query)).map(({ body }) => {
      const event = readEvent(body);
      assert.ok(typeof event === 'object', String(event));
      return event;
    });
  };
  const count = async () => (await written()).length;

  it('leaves an event that says who, which ticket and how many, and stands in no timeline', async () => {
    verifies('F.1');
    const otto = auditor(t.staff.otto);
    await read(otto);
    const event = (await written()).at(-1) as AuditEvent;
    assert.deepEqual(
      [event.actor.id, event.resource, event.details, event.decision, event.effects, event.request_id],
      [t.staff.otto, { kind: 'ticket', id: TICKET }, { events: 7 }, 'accepted', [], otto.requestId],
    );
    const rows = await asAdmin('select ticket_id from audit.events where id = $1', [event.id]);
    assert.deepEqual(rows, [{ ticket_id: null }]);
  });

  it('leaves one for each reader, ticket and ten minutes, however often a page is refreshed', async () => {
    const from = await count();
    for (let i = 0; i < 5; i += 1) await read(auditor(t.staff.otto));
    assert.equal(await count(), from + 1);
    await read(auditor(t.staff.dana));
    assert.equal(await count(), from + 2);
    await read(auditor(t.staff.otto), randomUUID());
    assert.equal(await count(), from + 3);
    now += 10 * MINUTE_MS;
    await read(auditor(t.staff.dana));
    assert.equal(await count(), from + 4);
  });

  it('is told again after a transaction that did not commit, and when memory ran out: never too little', async () => {
    const from = await count();
    await withTenant(pool, t.tenantId, async (tx) => {
      await reads.record(tx, auditor(t.staff.otto), timeline(TICKET));
      throw new RangeError('the read failed');
    }).catch(() => undefined);
    assert.equal(await count(), from);
    await read(auditor(t.staff.otto));
    assert.equal(await count(), from + 1);
    for (const ticket of [randomUUID(), randomUUID()]) await read(auditor(t.staff.dana), ticket);
    await read(auditor(t.staff.otto));
    assert.equal(await count(), from + 4);
  });

  it('is refused when it cannot be recorded', async () => {
    await assert.rejects(
      withTenant(pool, t.otherAccountId, (tx) => reads.record(tx, auditor(t.staff.otto), timeline(TICKET))),
    );
  });
});
