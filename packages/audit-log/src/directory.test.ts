import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { RESTORE } from '@deadlatch/catalogue';
import { generateSigningKeyPem, loadSigningKey, publicX, type ServiceKeyPair } from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { type DirectoryRow, directoryEntry, goneEntry } from './directory.ts';
import { type AuditEvent, encodeEvent } from './event.ts';
import { type OperatorAct, signOperatorEvent } from './operator-event.ts';
import { publicationId, publicationsBefore } from './publication-rows.ts';
import { acceptRestore, type RestoredBackup } from './restore-acceptance.ts';
import type { CurrentObject } from './trail-state.ts';
import type { TrailTrust } from './trail-trust.ts';
import { verifyTrail } from './verify-trail.ts';

const TENANT = '0195a000-0000-7000-8000-0000000000aa';
const APPROVER = '0195a000-0000-7000-8000-0000000000a1';
const TICKET = '0195a000-0000-7000-8000-0000000000c1';
const [operator, adam, sue] = [newKey(), newKey(), newKey()];
const TRUST: TrailTrust = {
  environment: 'demo',
  services: [],
  tokenKeys: [],
  operators: [operator, adam, sue].map((key) => ({
    keyid: key.keyId,
    x: publicX(key.publicKey),
    from: '2026-01-01T00:00:00.000Z',
    until: '2027-01-01T00:00:00.000Z',
  })),
};

function newKey(): ServiceKeyPair {
  return loadSigningKey(generateSigningKeyPem());
}

const BACKUP = {
  environment: 'demo',
  origin: 'demo.deadlatch/audit',
  restored_size: 7,
  log_size: 12,
  root: Buffer.alloc(32).toString('base64'),
};
const { environment: _, ...WHICH_BACKUP } = BACKUP;
/** Members of an event by which these people accepted the backup. */
const acceptedBy = (people: readonly ServiceKeyPair[], backup: RestoredBackup = BACKUP) => ({
  ...WHICH_BACKUP,
  accepted_by: people.map((key) => acceptRestore(backup, key)),
});

function membership(limit: number, id = APPROVER): DirectoryRow {
  return {
    table: 'contact_memberships',
    id,
    values: {
      tenant_id: TENANT,
      contact_id: '0195a000-0000-7000-8000-0000000000a2',
      account_id: '0195a000-0000-7000-8000-0000000000a3',
      site_id: null,
      may_request: false,
      may_approve: true,
      approval_limit_cents: limit,
      changed_at: '2026-02-01T00:00:00.000Z',
    },
  };
}

function deed(
  directory: readonly string[],
  change: Partial<OperatorAct> = {},
  key: ServiceKeyPair = operator,
) {
  const act: OperatorAct = {
    environment: 'demo',
    tenant: TENANT,
    id: randomUUID(),
    correlationId: randomUUID(),
    time: '2026-03-01T12:00:00.000Z',
    command: 'operator.bootstrap',
    details: {},
    directory,
    ...change,
  };
  return Buffer.from(signOperatorEvent(act, key));
}

function reasons(
  bodies: readonly Uint8Array[],
  directory: readonly DirectoryRow[],
  objects: readonly CurrentObject[] = [],
): string[] {
  return verifyTrail(bodies, TRUST, { objects, directory }).problems.map(({ reason }) => reason);
}

/** The event with something changed after it was signed. */
function altered(body: Uint8Array, change: (event: AuditEvent) => object): Buffer {
  const event = JSON.parse(Buffer.from(body).toString()) as AuditEvent;
  return Buffer.from(encodeEvent({ ...event, ...change(event) }));
}

describe('rows of authority', () => {
  const stated = () => [deed([directoryEntry(membership(500_000))])];

  it('are explained by the last event that states them', () => {
    assert.deepEqual(reasons(stated(), [membership(500_000)]), []);
    const raised = [...stated(), deed([directoryEntry(membership(700_000))])];
    assert.deepEqual(reasons(raised, [membership(700_000)]), []);
    const removed = [...stated(), deed([goneEntry('contact_memberships', APPROVER)])];
    assert.deepEqual(reasons(removed, []), []);
  });

  it('are named when they were planted, altered, set back, removed or shown twice', () => {
    verifies('F.1');
    const planted = randomUUID();
    assert.deepEqual(reasons(stated(), [membership(500_000), membership(1, planted)]), [
      `contact_memberships:${planted} was put there by no event`,
    ]);
    const notAsStated = [`contact_memberships:${APPROVER} is not as the last event about it states`];
    assert.deepEqual(reasons(stated(), [membership(2_000_000)]), notAsStated);
    const raised = [...stated(), deed([directoryEntry(membership(700_000))])];
    assert.deepEqual(reasons(raised, [membership(500_000)]), notAsStated);
    assert.deepEqual(reasons(stated(), []), [
      `contact_memberships:${APPROVER} is gone, and no event took it away`,
    ]);
    assert.deepEqual(reasons(stated(), [membership(500_000), membership(500_000)]), [
      `contact_memberships:${APPROVER} is shown twice`,
    ]);
    const removed = [...stated(), deed([goneEntry('contact_memberships', APPROVER)])];
    assert.deepEqual(reasons(removed, [membership(500_000)]), [
      `contact_memberships:${APPROVER} was put there by no event`,
    ]);
  });

  it('are not looked at when none are shown, and then not missed', () => {
    assert.deepEqual(verifyTrail(stated(), TRUST, null).problems, []);
  });

  it('are stated by the operator and the authority alone: what a service says of them counts for nothing', () => {
    const [body] = stated();
    assert.ok(body);
    const found = reasons(
      [altered(body, () => ({ origin: 'vault', command: 'contact.enrol' }))],
      [membership(500_000)],
    );
    assert.ok(found.includes(`contact_memberships:${APPROVER} was put there by no event`));
  });

  it('are stated by the command that changes them, and by no other', () => {
    verifies('F.1', 'T3.11');
    const [body] = stated();
    assert.ok(body);
    const by = (command: string) =>
      reasons([altered(body, () => ({ origin: 'dispatch', command }))], [membership(500_000)]);
    const cannot = `states a row of authority that it cannot change: contact_memberships:${APPROVER}`;
    for (const command of ['act.confirm', 'contact.set_limit', 'ticket.create', 'toString']) {
      assert.equal(by(command).includes(cannot), command !== 'act.confirm', command);
    }
    assert.ok(!by('act.confirm').some((reason) => reason.includes('put there by no event')));
    assert.ok(by('ticket.create').includes(`contact_memberships:${APPROVER} was put there by no event`));
  });

  it('that the operator put on file first are objects at version 1', () => {
    verifies('F.1');
    const shown = (version: number, id = APPROVER) =>
      reasons(stated(), [membership(500_000)], [{ object: 'membership', id, version, state: 'ACTIVE' }]);
    assert.deepEqual(shown(1), []);
    assert.deepEqual(shown(2), [`membership ${APPROVER} is at version 2 in ACTIVE, which no event explains`]);
    const other = randomUUID();
    assert.deepEqual(shown(1, other), [
      `membership ${other} is at version 1 in ACTIVE, which no event explains`,
    ]);
  });

  it('are named when an entry is in no known form', () => {
    for (const entry of [
      'contacts:1',
      'tickets:1:-',
      'constructor:1:-',
      `contacts:1:${'x'.repeat(42)}`,
      '',
    ]) {
      assert.match(reasons([deed([entry])], [])[0] ?? '', /in no known form/);
    }
  });
});

const publication = (number: number, version: number, tenantId = TENANT): DirectoryRow => ({
  table: 'publications',
  id: publicationId({ tenantId, kind: 'template', name: 'M17', number }),
  values: { tenant_id: tenantId, version, effective_from: '2026-03-01T12:00:00.000Z' },
});

describe('publications', () => {
  const none = deed([], { details: {} });
  const begun = deed([directoryEntry(publication(1, 2))]);
  const published = (row: DirectoryRow, command = 'template.publish', tenant = TENANT) =>
    altered(deed([directoryEntry(row)]), () => ({ origin: 'dispatch', command, tenant }));
  /** What is wrong with rows and statements, beside signatures that these events do not have. */
  const wrong = (bodies: readonly Uint8Array[], rows: readonly DirectoryRow[]) =>
    reasons(bodies, rows).filter((reason) => reason.includes('publication'));

  it('are explained by the event that made each of them, and by no other', () => {
    verifies('F.1');
    const both = [publication(1, 2), publication(2, 1)];
    assert.deepEqual(wrong([begun, published(publication(2, 1))], both), []);
    const planted = `publications:${TENANT}/template/M17/2 was put there by no event`;
    assert.deepEqual(wrong([begun], both), [planted]);
    const moved = {
      ...publication(2, 1),
      values: { ...publication(2, 1).values, version: 2 },
    } as DirectoryRow;
    assert.deepEqual(wrong([begun, published(publication(2, 1))], [publication(1, 2), moved]), [
      `publications:${TENANT}/template/M17/2 is not as the last event about it states`,
    ]);
    assert.deepEqual(wrong([begun, published(publication(2, 1))], [publication(1, 2)]), [
      `publications:${TENANT}/template/M17/2 is gone, and no event took it away`,
    ]);
  });

  it('are made by the command of their kind, for its own tenant, and once', () => {
    verifies('F.1');
    const notItsOwn = (id: string) => `states a publication that is not its to make: publications:${id}`;
    const id = `${TENANT}/template/M17/2`;
    assert.deepEqual(
      wrong([begun, published(publication(2, 1), 'incident_type.publish')], [publication(1, 2)]),
      [notItsOwn(id)],
    );
    const foreign = '0195a000-0000-7000-8000-0000000000bb';
    assert.deepEqual(
      wrong([begun, published(publication(2, 1), 'template.publish', foreign)], [publication(1, 2)]),
      [notItsOwn(id)],
    );
    const twice = [begun, published(publication(2, 1)), published(publication(2, 2))];
    assert.deepEqual(wrong(twice, [publication(1, 2), publication(2, 1)]), [notItsOwn(id)]);
    const gone = altered(deed([goneEntry('publications', `${TENANT}/template/M17/1`)]), () => ({
      origin: 'dispatch',
      command: 'template.publish',
    }));
    assert.deepEqual(wrong([begun, gone], [publication(1, 2)]), [notItsOwn(`${TENANT}/template/M17/1`)]);
  });

  it('of a tenant that is older than they are stand as that release left them, all of them', () => {
    verifies('F.1');
    const before = publicationsBefore(TENANT);
    assert.equal(before.length, 30);
    assert.deepEqual(wrong([none], before), []);
    assert.deepEqual(wrong([none, published(publication(2, 2))], [...before, publication(2, 2)]), []);
    const [first, ...others] = before;
    assert.ok(first);
    assert.deepEqual(wrong([none], others), [`publications:${first.id} is gone, and no event took it away`]);
    const changed = { ...first, values: { ...first.values, version: 1 } } as DirectoryRow;
    assert.deepEqual(wrong([none], [changed, ...others]), [
      `publications:${first.id} is not as the last event about it states`,
    ]);
    const later = publication(2, 2);
    assert.deepEqual(wrong([none], [...before, later]), [
      `publications:${later.id} was put there by no event`,
    ]);
  });

  it('of a tenant that began with its own, or that nobody put on file, are not explained by what others had', () => {
    const [first] = publicationsBefore(TENANT);
    assert.ok(first);
    const planted = `publications:${first.id} was put there by no event`;
    assert.deepEqual(wrong([begun], [publication(1, 2), first]), [planted]);
    assert.deepEqual(wrong([deed([], { command: 'operator.put_service_key' })], [first]), [planted]);
  });
});

describe('an act of the operator', () => {
  it('is backed by the signature of a pinned operator within its time', () => {
    assert.deepEqual(reasons([deed([])], []), []);
    const stranger = loadSigningKey(generateSigningKeyPem());
    assert.deepEqual(reasons([deed([], {}, stranger)], []), [
      'an act of the operator that no pinned operator signed',
    ]);
    assert.deepEqual(reasons([deed([], { time: '2027-03-01T12:00:00.000Z' })], []), [
      'signed by an operator outside their time',
    ]);
  });

  it('is named when anything in it was changed, or when nobody signed it', () => {
    const changes: ((event: AuditEvent) => Partial<AuditEvent>)[] = [
      () => ({ details: { directory: [directoryEntry(membership(1))] } }),
      () => ({ time: '2026-03-02T12:00:00.000Z' }),
      () => ({ tenant: TICKET }),
      () => ({ command: 'operator.put_service_key' }),
      () => ({ id: randomUUID() }),
      ({ request }) => ({ request: { ...request, signature: '' } }),
      ({ request }) => ({ request: { ...request, signature: request.signature.replace('==', '') } }),
      ({ request }) => ({ request: { ...request, signature_base: 'x' } }),
    ];
    for (const change of changes) {
      const found = reasons([altered(deed([]), change)], []);
      assert.ok(found.includes("the operator's signature does not verify"), found.join());
    }
  });

  it('has no effect on an object, unless a restored backup was accepted', () => {
    const effects = [
      { object: 'approval', id: TICKET, version: 4, before_state: 'PENDING', after_state: 'VOID' },
    ];
    assert.ok(reasons([deed([], { effects })], []).includes('not an act that the operator can do'));
    const details = { ...acceptedBy([adam, sue]), restored: [`approval:${TICKET}:3:PENDING`] };
    const accepted = deed([], { command: RESTORE, effects, details });
    const now = { object: 'approval', id: TICKET, version: 4, state: 'VOID' };
    assert.deepEqual(reasons([accepted], [], [now]), []);
    // The same words of somebody else put nothing back.
    const other = deed([], { command: 'operator.bootstrap', details });
    assert.deepEqual(reasons([other], [], [{ ...now, version: 3, state: 'PENDING' }]), [
      `approval ${TICKET} is at version 3 in PENDING, which no event explains`,
    ]);
  });

  it('puts a backup back only when two people, who are not the machine, accepted exactly it', () => {
    verifies('F.1');
    const restoring = (details: AuditEvent['details']) =>
      reasons([deed([], { command: RESTORE, details })], []);
    assert.deepEqual(restoring(acceptedBy([adam, sue])), []);
    const few = 'a restore that fewer than two people accepted';
    const nobody = 'a restore accepted by somebody who is not a pinned operator';
    const other = 'a restore whose acceptance does not verify';
    assert.deepEqual(restoring(acceptedBy([])), [few]);
    assert.deepEqual(restoring(acceptedBy([adam])), [few]);
    assert.deepEqual(restoring(acceptedBy([adam, adam])), [few]);
    assert.deepEqual(restoring(acceptedBy([adam, operator])), [nobody]);
    assert.deepEqual(restoring(acceptedBy([adam, newKey()])), [nobody]);
    assert.deepEqual(restoring({ ...acceptedBy([adam, sue]), accepted_by: ['adam', 'sue'] }), [nobody]);
    for (const change of [
      { environment: 'prod' },
      { origin: 'prod.deadlatch/audit' },
      { restored_size: 6 },
      { log_size: 13 },
      { root: Buffer.alloc(32, 1).toString('base64') },
    ]) {
      assert.deepEqual(restoring(acceptedBy([adam, sue], { ...BACKUP, ...change })), [other]);
    }
    assert.deepEqual(restoring({ accepted_by: acceptedBy([adam, sue]).accepted_by }), [
      'a restore that does not say which backup',
    ]);
  });
});
