import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { directoryEntry, publicationId } from '@deadlatch/audit-log';
import { verifies } from '../../requirements.ts';
import type { DispatchWorld } from '../../support/dispatch-api.ts';
import { storedEvents } from '../../support/table-state.ts';
import { alone, createWire, person, stepUp, type Wire } from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** Who may do what is changed through the service, as it runs. */
let world: DispatchWorld;
let wire: Wire;

before(async () => {
  world = await createWitnessedWorld();
  wire = createWire(world, (await world.start()).port);
});
after(() => world.close());

const staff = (name: 'adam' | 'dana' | 'sue' | 'fay') => person('staff', world.tenant.staff[name]);
const TEXT = () => ({ text_id: randomUUID(), commitment: 'c'.repeat(43) });

const PLAN = {
  shifts: {
    time_zone: 'America/Chicago',
    weekly: [{ weekday: 1, from_minute: 480, to_minute: 1_020 }],
    exceptions: [{ date: '2026-12-25', ranges: [] }],
  },
  certifications: [
    { name: 'fire-doors', valid_from: '2026-01-01T00:00:00.000Z', valid_until: '2027-01-01T00:00:00.000Z' },
  ],
  absences: [],
};

/** A yes with a code, as identity sends it. */
const yes = (name: 'adam' | 'dana' | 'sue', digest: string) => {
  const actor = stepUp(world.tenant.staff[name], digest);
  return { ...actor, claims: { ...actor.claims, sub: `staff:${world.tenant.staff[name]}` } };
};

const confirm = (
  name: 'adam' | 'dana' | 'sue',
  act: { act_id: string; action_digest: string },
  decision = 'CONFIRM',
) =>
  wire.command(yes(name, act.action_digest), 'act.confirm', act.act_id, {
    decision,
    action_digest: act.action_digest,
  });

async function does(name: 'adam' | 'dana' | 'sue', command: string, target: string | null, input: object) {
  const { status, body, code } = await wire.command(staff(name), command, target, input);
  assert.equal(status, 200, `${command}: ${code}`);
  return body;
}

describe('what is on file', () => {
  test('an account, its site, equipment and a technician come on file by a session, each stated by its event', async () => {
    verifies('F.1', 'T3.11');
    const { result: account } = await does('adam', 'account.create', null, { slug: 'more-stores' });
    const where = { time_zone: 'America/Chicago', territory: 'south' };
    const { result: site } = await does('adam', 'site.create', null, {
      account_id: account.account_id,
      slug: 'store-1',
      ...where,
    });
    const { result: asset } = await does('adam', 'asset.create', null, {
      site_id: site.site_id,
      kind: 'DOOR',
      slug: 'front-door',
      model: 'DX 200',
    });
    await does('adam', 'asset.change', asset.asset_id, { serial: 'SN-1' });
    await does('adam', 'asset.retire', asset.asset_id, {});
    await does('adam', 'site.change', site.site_id, { territory: 'west' });
    await does('adam', 'account.change', account.account_id, { slug: 'most-stores' });
    const { result: technician } = await does('adam', 'technician.create', null, {
      slug: 'tina',
      skills: ['doors'],
      territories: ['west'],
      schedule: PLAN,
    });
    await does('adam', 'site.change', site.site_id, { schedule: { hours: PLAN.shifts } });
    const { rows: plans } = await world.admin.query(
      `select version, shifts from dispatch.technician_schedules where id = $1
       union all select version, hours from dispatch.site_schedules where id = $2`,
      [technician.technician_id, site.site_id],
    );
    assert.deepEqual(plans, [
      { version: 1, shifts: PLAN.shifts },
      { version: 3, shifts: PLAN.shifts },
    ]);
    await does('adam', 'technician.change', technician.technician_id, { skills: ['doors', 'locksmith'] });
    await does('adam', 'technician.deactivate', technician.technician_id, {});
    const stated = (await storedEvents(world.admin, world.tenant.tenantId)).flatMap(
      ({ body }) => (body as unknown as { details: { directory?: string[] } }).details.directory ?? [],
    );
    const tenant_id = world.tenant.tenantId;
    const expected = directoryEntry({
      table: 'sites',
      id: site.site_id,
      values: { tenant_id, account_id: account.account_id, slug: 'store-1', ...where, territory: 'west' },
    });
    assert.ok(stated.includes(expected));
    assert.ok(stated.some((entry) => entry.startsWith(`technician_schedules:${technician.technician_id}:`)));
    assert.ok(stated.some((entry) => entry.startsWith(`site_schedules:${site.site_id}:`)));
    for (const id of [account.account_id, site.site_id, asset.asset_id, technician.technician_id])
      assert.ok(stated.filter((entry) => entry.includes(id)).length >= 2, id);
    const taken = await wire.command(staff('adam'), 'account.create', null, { slug: 'most-stores' });
    assert.deepEqual([taken.status, taken.code], [400, 'schema_mismatch']);
  });

  test('is not for whoever works with tickets, and tickets not for whoever keeps it', async () => {
    verifies('T1.2', 'A.3a');
    for (const name of ['dana', 'sue', 'fay'] as const) {
      const { code } = await wire.command(staff(name), 'account.create', null, { slug: 'mine' });
      assert.equal(code, 'not_granted', name);
    }
    const { code } = await wire.command(staff('adam'), 'ticket.create', null, {
      site_id: world.tenant.siteId,
    });
    assert.equal(code, 'not_granted');
  });
});

describe('what is in force', () => {
  const LATCH = 'DOOR_WONT_LATCH';
  const triaged = async () => {
    const site = { site_id: world.tenant.siteId };
    const { ticket } = await does('dana', 'ticket.create', null, site);
    await does('dana', 'ticket.triage', ticket.id, { type: LATCH, answers: [] });
    return ticket.id as string;
  };
  const versionOf = async (id: string) =>
    (await wire.read(staff('dana'), `/v1/tickets/${id}`)).body.ticket.incident_version;
  const listed = async (path: string, member: string, name: string) => {
    const { body } = await wire.read(staff('adam'), path);
    const rows: Record<string, unknown>[] = body.templates ?? body.incident_types;
    return rows.find((one) => one[member] === name);
  };

  test('is published by an admin: the next ticket takes the version, the one before keeps its own', async () => {
    verifies('I.3', 'F.1');
    const before = await triaged();
    assert.equal(await versionOf(before), 2);
    for (const name of ['dana', 'sue', 'fay'] as const) {
      const { code } = await wire.command(staff(name), 'incident_type.publish', null, {
        type: LATCH,
        version: 1,
      });
      assert.equal(code, 'not_granted', name);
    }
    const { result } = await does('adam', 'incident_type.publish', null, { type: LATCH, version: 1 });
    assert.deepEqual([result.number, result.version], [2, 1]);
    const after = await triaged();
    assert.deepEqual([await versionOf(before), await versionOf(after)], [2, 1]);
    await does('dana', 'ticket.retriage', before, { type: LATCH, answers: [], reason: TEXT() });
    assert.equal(await versionOf(before), 2, 'also when it is triaged again');
    const [{ body }] = (await storedEvents(world.admin, world.tenant.tenantId)).filter(
      (event) => event.command === 'incident_type.publish' && event.decision === 'accepted',
    ) as unknown as [{ body: { details: { directory: string[] } } }];
    const row = {
      table: 'publications',
      id: publicationId({ tenantId: world.tenant.tenantId, kind: 'incident_type', name: LATCH, number: 2 }),
      values: { tenant_id: world.tenant.tenantId, version: 1, effective_from: result.effective_from },
    } as const;
    assert.deepEqual(body.details.directory, [directoryEntry(row)]);
    const again = await wire.command(staff('adam'), 'incident_type.publish', null, {
      type: LATCH,
      version: 1,
    });
    assert.deepEqual([again.status, again.code], [409, 'invalid_state']);
    const unknown = await wire.command(staff('adam'), 'incident_type.publish', null, {
      type: LATCH,
      version: 9,
    });
    assert.deepEqual([unknown.status, unknown.code], [400, 'schema_mismatch']);
    await does('adam', 'incident_type.publish', null, { type: LATCH, version: 2 });
    assert.equal(await versionOf(await triaged()), 2, 'and back');
  });

  test('shows what is planned, and a text is said by its version', async () => {
    verifies('T2.1');
    const effective_at = new Date(Date.now() + 3_600_000).toISOString();
    await does('adam', 'template.publish', null, { template: 'M17', version: 1, effective_at });
    const invoice = await listed('/v1/templates', 'template', 'M17');
    assert.deepEqual(
      [invoice?.version, invoice?.scheduled, invoice?.released],
      [2, [{ version: 1, effective_from: effective_at }], [1, 2]],
    );
    assert.match(String(invoice?.texts), /we have issued the invoice/);
    const door = await listed('/v1/incident-types', 'type', 'DOOR_CANNOT_SECURE');
    assert.deepEqual([door?.version, door?.scheduled, door?.released], [2, [], [1, 2]]);
    const past = new Date(Date.now() - 3_600_000).toISOString();
    const late = await wire.command(staff('adam'), 'template.publish', null, {
      template: 'M17',
      version: 1,
      effective_at: past,
    });
    assert.equal(late.code, 'schema_mismatch');
  });
});

describe('who may do what', () => {
  test('is only asked for by a session, and done by the code of whoever asked', async () => {
    verifies('T3.11', 'T3.6');
    const input = { account_id: world.tenant.accountId, may_request: true, name: TEXT(), phone: TEXT() };
    const { result: asked } = await does('dana', 'contact.add', null, input);
    const people = async () => {
      const { rows } = await world.admin.query(
        "select id, version from dispatch.contacts where changed_at > now() - interval '1 hour'",
      );
      return rows;
    };
    assert.deepEqual(await people(), []);
    for (const other of ['sue', 'adam'] as const)
      assert.equal((await confirm(other, asked)).code, 'not_granted', other);
    const session = await wire.command(staff('dana'), 'act.confirm', asked.act_id, {
      decision: 'CONFIRM',
      action_digest: asked.action_digest,
    });
    assert.equal(session.code, 'above_ceiling');
    const done = await confirm('dana', asked);
    assert.deepEqual([done.status, done.body.result.state], [200, 'CONSUMED']);
    assert.deepEqual(await people(), [{ id: done.body.result.contact_id, version: 1 }]);
    assert.equal((await confirm('dana', asked)).code, 'invalid_state');
  });

  test('the first approver of an account takes two admins; the only admin cannot even ask', async () => {
    verifies('T3.5', 'T3.11');
    const { stranger } = world.tenant.contacts;
    const limit = {
      account_id: world.tenant.otherAccountId,
      site_id: world.tenant.otherAccountSiteId,
      approval_limit_cents: 10_000,
    };
    const alone = await wire.command(staff('adam'), 'contact.set_limit', stranger, limit);
    assert.deepEqual([alone.status, alone.code], [422, 'not_eligible']);
    // Where somebody could approve already, more takes a passkey.
    const more = { account_id: world.tenant.accountId, approval_limit_cents: 900_000 };
    const raised = await wire.command(staff('adam'), 'contact.set_limit', world.tenant.contacts.alan, more);
    assert.equal(raised.code, 'assurance_required');
    const less = { ...more, approval_limit_cents: 1_000 };
    const { result: asked } = await does('adam', 'contact.set_limit', world.tenant.contacts.alan, less);
    assert.equal((await confirm('adam', asked)).body.result.approval_limit_cents, 1_000);
  });

  test('figures of a contract take two persons, and change nothing before the second', async () => {
    verifies('T3.5', 'T3.11');
    const contract = {
      nte_cents: { ROUTINE: 10_000, URGENT: 20_000, EMERGENCY: 30_000 },
      labor_cents_per_hour: 9_000,
      trip_cents: 0,
      quote_first: true,
      close_when_issued: false,
    };
    const id = world.tenant.otherAccountId;
    const now = async () =>
      (await world.admin.query('select contract, version from dispatch.accounts where id = $1', [id]))
        .rows[0];
    const before = await now();
    const { result: asked } = await does('adam', 'account.change', id, { contract });
    assert.equal((await confirm('adam', asked)).body.result.state, 'PENDING');
    assert.deepEqual(await now(), before);
    assert.equal((await confirm('adam', asked)).code, 'separation_of_duty');
    assert.equal((await confirm('dana', asked)).code, 'not_granted');
    assert.equal((await confirm('sue', asked)).body.result.state, 'CONSUMED');
    assert.deepEqual(await now(), {
      contract: { ...contract, desk_hours: null },
      version: before.version + 1,
    });
  });

  test('less autonomy takes effect at once; more, roles and keys wait for passkeys', async () => {
    verifies('T3.2', 'T3.11');
    const id = world.tenant.accountId;
    const level = async () =>
      (await world.admin.query('select level from dispatch.autonomy_settings where account_id = $1', [id]))
        .rows[0].level;
    assert.equal(
      (await wire.command(staff('sue'), 'autonomy.set', id, { level: 3 })).code,
      'assurance_required',
    );
    await does('sue', 'autonomy.set', id, { level: 1 });
    assert.equal(await level(), 1);
    const { dana, sue } = world.tenant.staff;
    for (const [command, target, input] of [
      ['role.grant', dana, { role: 'finance' }],
      ['role.revoke', sue, { role: 'supervisor' }],
      ['service_account.register', null, { service: 'web', x: 'x'.repeat(43) }],
      ['service_account.revoke', null, { keyid: 'x'.repeat(43) }],
    ] as const) {
      const { status, code } = await wire.command(staff('adam'), command, target, input);
      assert.deepEqual([status, code], [403, 'assurance_required'], command);
    }
  });

  test('each of those who can say yes has a link of their own, and nobody else sees any', async () => {
    verifies('T3.12', 'T3.4', 'T4.8');
    const contract = {
      nte_cents: { ROUTINE: 1, URGENT: 2, EMERGENCY: 3 },
      labor_cents_per_hour: 4,
      trip_cents: 5,
      quote_first: true,
      close_when_issued: false,
    };
    const { result: asked } = await does('adam', 'account.change', world.tenant.otherAccountId, { contract });
    const linkOf = async (name: 'adam' | 'sue' | 'dana') => {
      const { body } = await wire.read(staff(name), '/v1/acts');
      const listed = (body.acts as { id: string; confirm_url: string }[]).find(
        ({ id }) => id === asked.act_id,
      );
      return listed?.confirm_url.split('/').at(-1);
    };
    const [mine, hers] = [await linkOf('adam'), await linkOf('sue')];
    assert.ok(mine && hers && mine !== hers);
    assert.equal(await linkOf('dana'), undefined);
    assert.equal((await wire.read(staff('fay'), '/v1/acts')).code, 'not_granted');
    const { body } = await wire.read(alone('identity'), `/v1/step-ups/${hers}`);
    assert.deepEqual(
      [body.object, body.approval_id, body.contact_id, body.required, body.state, body.action_digest],
      ['act', asked.act_id, world.tenant.staff.sue, 'L2', 'PENDING', asked.action_digest],
    );
    assert.deepEqual(JSON.parse(body.action).input, { contract });
    assert.equal((await wire.read(alone('identity'), `/v1/step-ups/${'f'.repeat(34)}`)).code, 'not_found');
    // Whoever has said yes is not asked again; when it is over, nobody is.
    assert.equal((await confirm('adam', asked)).status, 200);
    assert.equal(await linkOf('adam'), undefined);
    assert.equal((await confirm('sue', asked, 'DECLINE')).status, 200);
    assert.equal(await linkOf('sue'), undefined);
    const over = await wire.read(alone('identity'), `/v1/step-ups/${hers}`);
    assert.deepEqual(
      [over.body.state, over.body.step_up_grant, over.body.reveal_grant],
      ['DENIED', null, null],
    );
  });

  test('a no ends it; another act, another digest and another person have no say in it', async () => {
    verifies('T3.4');
    const { result: asked } = await does('dana', 'contact.reset', world.tenant.contacts.maria, {});
    const { result: other } = await does('dana', 'contact.reset', world.tenant.contacts.sam, {});
    const mixed = { act_id: asked.act_id, action_digest: other.action_digest };
    assert.equal((await confirm('dana', mixed)).code, 'digest_mismatch');
    assert.equal((await confirm('dana', asked, 'DECLINE')).body.result.state, 'DENIED');
    assert.equal((await confirm('dana', asked)).code, 'invalid_state');
    assert.equal((await confirm('dana', other)).body.result.state, 'CONSUMED');
  });
});
