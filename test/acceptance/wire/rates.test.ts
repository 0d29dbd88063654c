import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { RATES } from '@deadlatch/http';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld } from '../../support/dispatch-api.ts';
import { type Crew, createCrew } from '../../support/job.ts';
import { storedEvents, tableState } from '../../support/table-state.ts';
import { createWire, type Wire, type WireAnswer } from '../../support/wire.ts';

/** Somebody who is refused again and again, and everybody else. */
let world: DispatchWorld;
let wire: Wire;
let crew: Crew;

before(async () => {
  world = await createDispatchWorld();
  wire = createWire(world, (await world.start()).port);
  crew = createCrew(world, wire);
});
after(() => world.close());

const { burst, perSecond } = RATES.refusals;
const site = () => ({ site_id: world.tenant.siteId });

async function times(count: number, send: () => Promise<WireAnswer>): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  let left = count;
  const sender = async () => {
    while (left > 0) {
      left -= 1;
      const { status, code } = await send();
      seen[`${status} ${code}`] = (seen[`${status} ${code}`] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, sender));
  return seen;
}

test('replays of a captured request cost its owner nothing', async () => {
  verifies('R.6', 'T4.3');
  const sent = wire.prepare(crew.dana, 'ticket.create', null, site());
  assert.equal((await wire.send(sent)).status, 200);
  const before = await tableState(world.admin);
  assert.deepEqual(await times(burst + 100, () => wire.send(sent)), { '401 unauthenticated': burst + 100 });
  assert.deepEqual(await tableState(world.admin), before);
  assert.equal((await wire.command(crew.dana, 'ticket.create', null, site())).status, 200);
});

test('who is refused too often is refused without a look, counted, and alone in it', async () => {
  verifies('R.6', 'F.6', 'T1.8');
  const trail = (await storedEvents(world.admin, world.tenant.tenantId)).length;
  const from = performance.now();
  const seen = await times(burst + 400, () => wire.command(crew.dana, 'ticket.ready', randomUUID(), {}));
  const seconds = (performance.now() - from) / 1000;
  const { '404 not_found': looked = 0, '429 rate_limited': refused = 0, ...others } = seen;
  assert.deepEqual(others, {});
  assert.ok(refused > 0 && looked <= burst + seconds * perSecond + 1, JSON.stringify(seen));
  const written = (await storedEvents(world.admin, world.tenant.tenantId)).slice(trail);
  const minutes = Math.ceil(seconds / 60) + 1;
  assert.ok(written.length <= 2 * 60 * minutes, `${written.length} events`);
  assert.ok(written.some(({ body }) => body.code === 'rate_limited'));
  // Others through the same service, and the same person through another one, are as free as ever.
  const asMaria = await wire.command(crew.maria, 'ticket.create', null, site());
  const atTheCli = await wire.command({ ...crew.dana, service: 'cli' }, 'ticket.create', null, site());
  assert.deepEqual([asMaria.status, atTheCli.status], [200, 200]);
});

test('what is accepted costs nothing', async () => {
  verifies('R.6');
  const seen = await times(burst + 50, () => wire.command(crew.maria, 'ticket.create', null, site()));
  assert.deepEqual(seen, { '200 ok': burst + 50 });
});
