import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { MESSAGE_TEMPLATES } from '@deadlatch/catalogue';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { storedEvents } from '../../support/table-state.ts';
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

describe('site.get', () => {
  test('answers each reader their part of a site, and nobody a site that is not theirs', async () => {
    verifies('A.3b', 'T5.6');
    const { tenant } = world;
    const { staff, technicians, contacts } = tenant;
    const seen = async (kind: 'staff' | 'technician' | 'contact', id: string, siteId = tenant.siteId) => {
      const { status, body, code } = await wire.read(person(kind, id), `/v1/sites/${siteId}`);
      return status === 200 ? Object.keys(body.site).sort() : code;
    };
    const customers = ['id', 'label', 'time_zone'];
    const everything = [...customers, 'account_id', 'account_label', 'contacts', 'territory'].sort();
    for (const id of [staff.dana, staff.sue, staff.adam, staff.otto]) {
      assert.deepEqual(await seen('staff', id), everything);
    }
    // Tom is on a visit there.
    assert.deepEqual(await seen('technician', technicians.tom), [...customers, 'territory'].sort());
    assert.deepEqual(await seen('contact', contacts.maria), customers);
    assert.deepEqual(await seen('contact', contacts.alan), customers);
    for (const [kind, id, siteId] of [
      ['technician', technicians.tess, tenant.siteId],
      ['contact', contacts.stranger, tenant.siteId],
      ['contact', contacts.maria, tenant.otherSiteId],
      ['technician', technicians.tom, tenant.otherAccountSiteId],
      ['staff', staff.dana, randomUUID()],
      ['staff', staff.dana, 'store-114'],
      ['staff', staff.dana, (await world.addTenant()).siteId],
    ] as const) {
      assert.equal(await seen(kind, id, siteId), 'not_found', `${kind} ${id}`);
    }
    assert.equal(await seen('contact', staff.dana), 'not_granted');
    const { body } = await wire.read(crew.dana, `/v1/sites/${tenant.siteId}`);
    const ids = body.site.contacts.map((c: { contact_id: string }) => c.contact_id).sort();
    assert.deepEqual(ids, [contacts.maria, contacts.sam, contacts.alan, contacts.olga].sort());
  });
});

describe('template.list', () => {
  test('answers every text that can leave, to staff who answer for them', async () => {
    const { staff, technicians, contacts } = world.tenant;
    const { body } = await wire.read(crew.dana, '/v1/templates');
    assert.deepEqual(
      body.templates.map((t: { template: string }) => t.template).sort(),
      [...MESSAGE_TEMPLATES].sort(),
    );
    assert.ok(body.templates.every((t: { texts: string[] }) => t.texts.every((text) => text.length > 10)));
    for (const actor of [
      person('staff', staff.fay),
      person('technician', technicians.tom),
      person('contact', contacts.maria),
    ]) {
      for (const path of ['/v1/templates', '/v1/incident-types'])
        assert.equal((await wire.read(actor, path)).code, 'not_granted', path);
    }
  });
});

describe('audit.search', () => {
  const auditor = () => person('staff', world.tenant.staff.otto);
  const found = async (query: string) => (await wire.read(auditor(), `/v1/audit?${query}`)).body.events;
  const own = async () =>
    (await storedEvents(world.admin, world.tenant.tenantId)).filter(
      ({ body }) => body.command === 'audit.search' && body.decision === 'accepted',
    );

  test('finds what was done and what was refused, newest first, a listed part of it', async () => {
    verifies('T5.6');
    const refusal = await wire.read(person('staff', world.tenant.staff.fay), `/v1/templates`);
    assert.equal(refusal.code, 'not_granted');
    const [last] = await found(`actor=staff:${world.tenant.staff.fay}&decision=refused`);
    assert.deepEqual([last.command, last.code, last.origin], ['template.list', 'not_granted', 'dispatch']);
    const events = await found(`ticket=${onSite}`);
    const { body: timeline } = await wire.read(crew.dana, `/v1/tickets/${onSite}/timeline`);
    const ids = (list: { event_id: string }[]) => list.map((event) => event.event_id).sort();
    assert.deepEqual(ids(events), ids(timeline.events));
    assert.ok(events.every((event: object) => !('request' in event) && !('input_digest' in event)));
    assert.deepEqual(await found(`ticket=${onSite}&command=ticket.close`), []);
  });

  test('leaves an event that says what was asked for, once in a while', async () => {
    verifies('F.1');
    const before = (await own()).length;
    for (let times = 0; times < 3; times += 1) await found(`correlation=${onSite}`);
    const written = (await own()).slice(before);
    assert.deepEqual(
      written.map(({ body }) => [body.details, body.resource]),
      [[{ by_correlation: onSite, events: 0 }, null]],
    );
  });

  test('is for auditors and supervisors, and of their own tenant', async () => {
    verifies('A.3b', 'T4.6');
    const { staff, technicians, contacts } = world.tenant;
    assert.equal((await wire.read(person('staff', staff.sue), '/v1/audit')).status, 200);
    for (const actor of [
      crew.dana,
      person('staff', staff.adam),
      person('staff', staff.fay),
      person('technician', technicians.tom),
      person('contact', contacts.alan),
    ]) {
      assert.equal((await wire.read(actor, '/v1/audit')).code, 'not_granted');
    }
    assert.equal((await wire.read(auditor(), '/v1/audit?actor=maria')).code, 'schema_mismatch');
    const foreign = await world.addTenant();
    assert.deepEqual(await found(`actor=staff:${foreign.staff.dana}`), []);
    assert.deepEqual(await found(`command=operator.bootstrap&ticket=${foreign.siteId}`), []);
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
