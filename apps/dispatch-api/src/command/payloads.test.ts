import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { findCommand, MAX_IMPORTED_CONTACTS } from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import type { CommandCall } from './call.ts';
import type { Proven } from './caller.ts';
import { factsQuery } from './payloads.ts';

const PROVEN: Proven = {
  tokenId: randomUUID(),
  requestId: randomUUID(),
  request: {
    keyId: 'k'.repeat(43),
    service: 'web',
    shape: { write: true, token: true },
    nonce: 'n'.repeat(22),
    created: 1,
    expires: 31,
    idempotencyKey: randomUUID(),
    token: null,
    signatureBase: '',
    signature: '',
  },
  caller: {
    tenantId: randomUUID(),
    service: 'web',
    subject: { kind: 'staff', id: randomUUID() },
    assurance: 'L1',
    agent: null,
    scope: 'person',
    context: { correlationId: randomUUID(), conversationId: null, ticketId: null, actionDigest: null },
  },
};

function query(input: JsonValue, over: Partial<CommandCall> = {}, command = 'visit.dispatch_emergency') {
  const call: CommandCall = {
    command,
    targetId: randomUUID(),
    input,
    fingerprint: 'f',
    concretePath: '/v1/x',
    ...over,
  };
  return factsQuery(findCommand(command), PROVEN, call);
}

describe('references of a body', () => {
  test('are read when they have the form of an id, whatever else the body holds', () => {
    const technician = randomUUID();
    assert.deepEqual(query({ technician_id: technician, reason: 'OTHER' }).refs, {
      technician_id: technician,
    });
  });

  test('of the rows of a batch are its codes and places, of no more rows than it may have', () => {
    verifies('I.1', 'C.0');
    const [account, site] = [randomUUID(), randomUUID()];
    const words = { text_id: randomUUID(), commitment: 'c'.repeat(43) };
    const row = { slug: 'manager-1', site_id: site, may_request: true, name: words, phone: words };
    const refs = (contacts: JsonValue) => query({ account_id: account, contacts }, {}, 'contact.import').refs;
    assert.deepEqual(refs([row, { ...row, slug: 'manager-2', site_id: 'store' }]), {
      account_id: account,
      contacts: [{ slug: 'manager-1', site_id: site }, { slug: 'manager-2' }],
    });
    for (const none of [[], [7, null, 'row', [row]], [{ slug: 7 }], [{ slug: 's'.repeat(61) }]]) {
      assert.deepEqual(refs(none), { account_id: account, contacts: [] }, JSON.stringify(none));
    }
    for (const none of [null, 'rows', { 0: row }]) assert.deepEqual(refs(none), { account_id: account });
    assert.equal(refs(Array(1_000).fill(row)).contacts?.length, MAX_IMPORTED_CONTACTS);
    // No other command has rows.
    assert.deepEqual(query({ account_id: account, contacts: [row] }, {}, 'contact.add').refs, {
      account_id: account,
    });
  });

  test('that have no such form never reach the database', () => {
    verifies('I.1', 'C.0');
    const wrong: JsonValue[] = [
      { technician_id: 7 },
      { technician_id: null },
      { technician_id: [randomUUID()] },
      { technician_id: { id: randomUUID() } },
      { technician_id: randomUUID().toUpperCase() },
      { technician_id: `${randomUUID()}'` },
      { site_id: '', evidence_id: 'x' },
      { provider_id: 'S'.repeat(201) },
      { scope: 'account', scope_id: 'x' },
      { scope: 'tenant', scope_id: randomUUID() },
      { scope: 'constructor', scope_id: randomUUID() },
      [randomUUID()],
      'technician_id',
      null,
      7,
    ];
    for (const input of wrong) assert.deepEqual(query(input).refs, {}, JSON.stringify(input));
  });

  test('do not name rows that only a path or a token may name', () => {
    verifies('A.3b', 'T1.5');
    const id = randomUUID();
    const input = {
      tenant_id: id,
      ticket_id: id,
      account_id: id,
      message_id: id,
      turn_id: id,
      subject_id: id,
    };
    const asked = query(input);
    assert.deepEqual(asked.refs, {});
    assert.equal(asked.tenant_id, PROVEN.caller.tenantId);
    assert.equal(asked.turn_id, null);
  });

  test('name a ticket only where a stranger’s words are attached to one', () => {
    const id = randomUUID();
    assert.deepEqual(query({ ticket_id: id }, {}, 'report.attach').refs, { ticket_id: id });
    assert.deepEqual(query({ ticket_id: 'x' }, {}, 'report.attach').refs, {});
  });

  test('are its own members, not inherited ones', () => {
    verifies('C.0');
    const inherited = Object.create({ technician_id: randomUUID() }) as JsonValue;
    assert.deepEqual(query(inherited).refs, {});
  });

  test('name the scope of a pause by its kind', () => {
    const id = randomUUID();
    assert.deepEqual(query({ scope: 'account', scope_id: id }, {}, 'autonomy.pause').refs, {
      account_id: id,
    });
    assert.deepEqual(query({ scope: 'ticket', scope_id: id }, {}, 'autonomy.pause').refs, { ticket_id: id });
  });
});

describe('what is asked of the database', () => {
  test('a path that holds no id names no row', () => {
    verifies('C.0');
    assert.equal(query({}, { targetId: 'x' }).target_id, null);
    assert.equal(query({}, { targetId: null }).target_id, null);
    const id = randomUUID();
    assert.equal(query({}, { targetId: id }).target_id, id);
  });

  test('an unknown command needs nothing and has no target', () => {
    verifies('C.0', 'C.8');
    const asked = factsQuery(undefined, PROVEN, {
      command: 'unknown:x',
      targetId: randomUUID(),
      input: {},
      fingerprint: 'f',
      concretePath: '/v1/x',
    });
    assert.deepEqual([asked.target, asked.needs], ['none', []]);
  });

  test('a key is kept by service, subject, command and the concrete path', () => {
    verifies('R.2');
    const { subject } = PROVEN.caller;
    assert.deepEqual(query({}, { concretePath: '/v1/tickets/a/visit.dispatch_emergency' }).idempotency, {
      service: 'web',
      subject: `staff:${subject.id}`,
      command: 'visit.dispatch_emergency',
      path: '/v1/tickets/a/visit.dispatch_emergency',
      key: PROVEN.request.idempotencyKey,
    });
  });
});
