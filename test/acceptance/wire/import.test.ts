import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createInputValidator } from '@deadlatch/catalogue';
import { DispatchError, type ErrorCode, type JsonValue } from '@deadlatch/kernel';
import { FILE_KINDS, linesOnFile, ROW_KINDS } from '../../../apps/cli/src/import/kinds.ts';
import { planImport } from '../../../apps/cli/src/import/plan-import.ts';
import { readDirectory } from '../../../apps/cli/src/import/read-directory.ts';
import { readTable } from '../../../apps/cli/src/import/read-table.ts';
import { LineRefused, runImport, type SendCommand } from '../../../apps/cli/src/import/run-import.ts';
import { writeTable } from '../../../apps/cli/src/import/write-table.ts';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld, type Replica } from '../../support/dispatch-api.ts';
import type { SeededTenant } from '../../support/seed.ts';
import { type Actor, createWire, person, type Wire } from '../../support/wire.ts';

/** Files go in through the gate and come out again; `send` and `read` are what the command line's session does. */
let world: DispatchWorld;
let replica: Replica;
let wire: Wire;

before(async () => {
  world = await createDispatchWorld();
  replica = await world.start();
  wire = createWire(world, replica.port);
});
after(() => world.close());

const SITES = 12;
const VALIDATE = createInputValidator();
const FILES: Readonly<Record<string, readonly string[]>> = {
  'accounts.csv': ['account', 'north-stores', 'south-stores'],
  'sites.csv': [
    'account,site,time_zone,territory',
    ...Array.from(
      { length: SITES },
      (_, n) => `${n % 2 ? 'north' : 'south'}-stores,shop-${n},America/Chicago,t-${n % 3}`,
    ),
    'acme-stores,shop-1,America/New_York,north',
  ],
  'assets.csv': [
    'account,site,asset,kind,model,serial',
    'north-stores,shop-1,front-door,DOOR,DX 200,SN-1',
    'south-stores,shop-0,front-door,AUTO_OPERATOR,,',
    'acme-stores,store-114,back-door,LOCK,,',
  ],
  'technicians.csv': ['technician,skills,territories', 'tina,locksmith;rolling_doors,t-0;t-1', 'theo,,'],
};
const LINES = Object.values(FILES).reduce((all, lines) => all + lines.length - 1, 0);

const tables = (files = FILES) =>
  Object.entries(files).map(([name, lines]) => readTable(name, Buffer.from(`${lines.join('\n')}\n`)));

const adminOf = (tenant: SeededTenant): Actor => {
  const actor = person('staff', tenant.staff.adam, 'cli');
  return { ...actor, claims: { ...actor.claims, tenant: tenant.tenantId } };
};

const reads = (tenant: SeededTenant) => async (path: string) => {
  const { status, code, body } = await wire.read(adminOf(tenant), path);
  if (status !== 200) throw new DispatchError(code as ErrorCode);
  return body as JsonValue;
};

const sends =
  (tenant: SeededTenant): SendCommand =>
  async (command, input, key) => {
    const { status, code, body } = await wire.command(adminOf(tenant), command, null, input, { key });
    if (status !== 200) throw new DispatchError(code as ErrorCode);
    return body as JsonValue;
  };

async function importInto(tenant: SeededTenant, send = sends(tenant), files = tables()) {
  const plan = planImport(files, await readDirectory(reads(tenant)), VALIDATE);
  assert.deepEqual(plan.problems, []);
  return runImport(plan, { send, onStep: () => undefined });
}

async function exported(tenant: SeededTenant): Promise<Record<string, string>> {
  const lines = linesOnFile(await readDirectory(reads(tenant)));
  return Object.fromEntries(
    ROW_KINDS.map((kind) => [`${kind}.csv`, writeTable(FILE_KINDS[kind].columns, lines[kind])]),
  );
}

async function createdIn(tenant: SeededTenant): Promise<number> {
  const { rows } = await world.admin.query<{ n: number }>(
    `select count(*)::int as n from audit.events
      where tenant_id = $1 and decision = 'accepted' and command like '%.create'`,
    [tenant.tenantId],
  );
  return rows[0]?.n ?? Number.NaN;
}

describe('an import', () => {
  test('that is only decided has no effect', async () => {
    const plan = planImport(tables(), await readDirectory(reads(world.tenant)), VALIDATE);
    assert.deepEqual(plan.problems, []);
    assert.equal(plan.steps.filter(({ id }) => id === null).length, LINES);
    assert.equal(await createdIn(world.tenant), 0);
  });

  test('that is cut off, and cut off again with the service killed, goes on where it stood: each line is done once', async () => {
    verifies('R.1', 'R.2');
    const send = sends(world.tenant);
    // The answer to the seventh is lost, after it was done.
    let count = 0;
    const losing: SendCommand = async (...call) => {
      const answer = await send(...call);
      count += 1;
      if (count === 7) throw new DispatchError('unavailable');
      return answer;
    };
    await assert.rejects(importInto(world.tenant, losing), LineRefused);
    assert.equal(await createdIn(world.tenant), 7);
    // The service dies under the next one.
    const killing: SendCommand = async (...call) => {
      count += 1;
      if (count === 15) await replica.kill();
      return send(...call).catch((cause: unknown) => {
        throw new DispatchError('unavailable', { cause });
      });
    };
    await assert.rejects(importInto(world.tenant, killing), LineRefused);
    replica = await world.start();
    wire = createWire(world, replica.port);
    const last = await importInto(world.tenant);
    assert.equal(last.found, 14);
    assert.equal(await createdIn(world.tenant), LINES);
    // Once more, there is nothing to do.
    const none = await importInto(world.tenant);
    assert.deepEqual([none.made, none.found], [0, LINES]);
    assert.equal(await createdIn(world.tenant), LINES);
  });

  test('made again before anybody could see its effect is answered with what was done', async () => {
    verifies('R.2');
    // Planned from a directory of before: every line is sent again, and every answer is the first one's.
    const empty = { accounts: [], sites: [], assets: [], technicians: [], contacts: [] };
    const stale = planImport(tables(), empty, VALIDATE);
    const [first] = stale.steps;
    assert.ok(first);
    const again = await runImport(
      { ...stale, steps: [first] },
      { send: sends(world.tenant), onStep: () => undefined },
    );
    assert.deepEqual([again.made, again.found], [1, 0]);
    assert.equal(await createdIn(world.tenant), LINES);
  });

  test('of what was exported gives another installation the same rows', async () => {
    const files = await exported(world.tenant);
    const other = await world.addTenant();
    assert.notDeepEqual(await exported(other), files);
    await importInto(
      other,
      sends(other),
      Object.entries(files).map(([name, text]) => readTable(name, Buffer.from(text))),
    );
    assert.deepEqual(await exported(other), files);
  });

  test('by somebody who may not is refused at its first line, and nothing is on file', async () => {
    verifies('A.3a', 'T3.11');
    const other = await world.addTenant();
    const dana = person('staff', other.staff.dana, 'cli');
    const asDana = { ...dana, claims: { ...dana.claims, tenant: other.tenantId } };
    const send: SendCommand = async (command, input, key) => {
      const { status, code, body } = await wire.command(asDana, command, null, input, { key });
      if (status !== 200) throw new DispatchError(code as ErrorCode);
      return body as JsonValue;
    };
    await assert.rejects(
      importInto(other, send),
      (error) =>
        error instanceof LineRefused && error.refusal.code === 'not_granted' && error.step.line === 2,
    );
    assert.equal(await createdIn(other), 0);
    for (const [kind, id] of [
      ['technician', other.technicians.tom],
      ['contact', other.contacts.alan],
      ['staff', other.staff.fay],
    ] as const) {
      const actor = person(kind, id);
      const theirs = { ...actor, claims: { ...actor.claims, tenant: other.tenantId } };
      assert.equal((await wire.read(theirs, '/v1/directory?kind=sites')).code, 'not_granted', kind);
    }
    for (const query of [
      '',
      '?kind=people',
      '?kind=sites&limit=1',
      '?kind=sites&after=x',
      '?kind=sites&kind=assets',
    ]) {
      assert.equal((await wire.read(adminOf(other), `/v1/directory${query}`)).code, 'schema_mismatch', query);
    }
  });
});
