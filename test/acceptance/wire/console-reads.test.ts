import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { createWire, person, type Wire } from '../../support/wire.ts';

/** What the console reads beside tickets: who one is, where one may open a ticket, what a photo shows. */
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;
let onSite: string;

before(async () => {
  world = await createDispatchWorld();
  const replica = await world.start();
  wire = createWire(world, replica.port);
  crew = createCrew(world, wire);
  onSite = await crew.onSite();
});
after(() => world.close());

describe('self.get', () => {
  test('answers the roles that somebody holds, and nobody else’s', async () => {
    verifies('A.4');
    const { staff, technicians, contacts } = world.tenant;
    const roles = async (kind: 'staff' | 'technician' | 'contact', id: string) =>
      (await wire.read(person(kind, id), '/v1/self')).body.roles;
    assert.deepEqual(await roles('staff', staff.dana), ['dispatcher']);
    assert.deepEqual(await roles('staff', staff.adam), ['admin']);
    assert.deepEqual(await roles('technician', technicians.tom), ['technician']);
    assert.deepEqual(await roles('contact', contacts.maria), ['requester']);
    assert.deepEqual(await roles('contact', contacts.alan), ['approver']);
    for (const [kind, id] of [
      ['technician', staff.dana],
      ['staff', contacts.maria],
      ['contact', technicians.tom],
    ] as const) {
      assert.equal((await wire.read(person(kind, id), '/v1/self')).code, 'not_granted');
    }
  });
});

describe('site.list', () => {
  test('answers every site to a dispatcher and to a requester their own', async () => {
    verifies('A.3b', 'T5.6');
    const { staff, contacts, technicians } = world.tenant;
    const labels = async (kind: 'staff' | 'contact', id: string) =>
      (await wire.read(person(kind, id), '/v1/sites')).body.sites.map((s: { label: string }) => s.label);
    assert.deepEqual(await labels('staff', staff.dana), ['store-114', 'store-115', 'store-900']);
    assert.deepEqual(await labels('contact', contacts.maria), ['store-114']);
    assert.deepEqual(await labels('contact', contacts.stranger), ['store-900']);
    for (const actor of [
      person('contact', contacts.alan),
      person('technician', technicians.tom),
      person('staff', staff.fay),
      person('staff', staff.adam),
    ]) {
      assert.equal((await wire.read(actor, '/v1/sites')).code, 'not_granted');
    }
  });

  test('never answers a site of another tenant', async () => {
    const foreign = await world.addTenant();
    const { body } = await wire.read(crew.dana, '/v1/sites');
    assert.ok(!body.sites.some((s: { id: string }) => s.id === foreign.siteId));
  });
});

describe('evidence.content', () => {
  test('answers the stored bytes to who may see the ticket, as a picture and nothing more', async () => {
    verifies('A.3b', 'T5.6');
    const { staff, technicians, contacts } = world.tenant;
    const ticketId = onSite;
    const id = await crew.photo(crew.tom, ticketId, 'photo.before.opening');
    const { body } = await wire.read(crew.dana, `/v1/tickets/${ticketId}/evidence`);
    for (const actor of [crew.tom, crew.dana, crew.quinn, person('staff', staff.otto)]) {
      const found = await wire.read(actor, `/v1/evidence/${id}/content`);
      assert.deepEqual([found.status, found.type], [200, 'image/png']);
      assert.equal(createHash('sha256').update(found.body).digest('hex'), body.evidence[0].kept_sha256);
    }
    for (const [actor, code] of [
      [person('technician', technicians.tess), 'not_found'],
      [person('staff', staff.fay), 'not_granted'],
      [person('contact', contacts.maria), 'not_granted'],
    ] as const) {
      assert.equal((await wire.read(actor, `/v1/evidence/${id}/content`)).code, code);
    }
  });

  test('answers nothing of a photo that was only announced', async () => {
    const ticketId = onSite;
    const sha256 = createHash('sha256').update(randomBytes(8)).digest('hex');
    const asked = await crew.does(crew.tom, 'evidence.presign', ticketId, {
      key: 'photo.before.opening',
      content_type: 'image/png',
      size_bytes: 8,
      sha256,
    });
    const path = `/v1/evidence/${asked.body.result.evidence_id}/content`;
    assert.equal((await wire.read(crew.tom, path)).code, 'not_found');
    assert.equal((await wire.read(crew.dana, '/v1/evidence/1/content')).code, 'not_found');
  });
});
