import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifies } from '../../requirements.ts';
import { testPool } from '../../support/database.ts';
import { createDatabaseLine, type DatabaseLine } from '../../support/database-line.ts';
import { createDispatchWorld, type DispatchWorld, type Replica } from '../../support/dispatch-api.ts';
import { tableState } from '../../support/table-state.ts';
import { createWire, exchange, person, type Wire, type WireRequest } from '../../support/wire.ts';

/** One captured request, sent 200 times at once to three replicas on one database, whatever happens to them. */
let world: DispatchWorld;
let line: DatabaseLine;
let replicas: Replica[];
let wire: Wire;

const TIMES = 200;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

before(async () => {
  line = createDatabaseLine();
  world = await createDispatchWorld({ databaseUrl: line.leadTo, steppedClocks: true });
  replicas = await Promise.all([world.start(), world.start(), world.start()]);
  wire = createWire(world, replicas[0]?.port ?? 0);
});
after(async () => {
  await world.close();
  await line.close();
});

const captured = (agedMs = 0): WireRequest =>
  wire.prepare(
    person('staff', world.tenant.staff.dana),
    'ticket.create',
    null,
    { site_id: world.tenant.siteId },
    { now: Date.now() - agedMs },
  );

/** How often each code came back; `cut` where a connection ended without an answer. */
async function replay(sent: WireRequest): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  await Promise.all(
    Array.from({ length: TIMES }, async (_, i) => {
      const { port } = replicas[i % replicas.length] as Replica;
      const code = await exchange(port, sent).then(
        (answer) => answer.code,
        () => 'cut',
      );
      seen[code] = (seen[code] ?? 0) + 1;
    }),
  );
  return seen;
}

async function tickets(): Promise<number> {
  const { rows } = await world.admin.query('select count(*)::int as n from dispatch.tickets');
  return rows[0].n;
}

/** Nothing at all is written, not even a refusal: whoever replays cannot fill the trail. */
async function replayedInVain(sent: WireRequest, codes: readonly string[]): Promise<void> {
  const before = await tableState(world.admin);
  const seen = await replay(sent);
  assert.deepEqual(
    Object.keys(seen).filter((code) => !codes.includes(code)),
    [],
    JSON.stringify(seen),
  );
  assert.deepEqual(await tableState(world.admin), before);
}

const stepAll = (...wrongByMs: readonly number[]) =>
  Promise.all(replicas.map((replica, i) => replica.stepClock(wrongByMs[i % wrongByMs.length] ?? 0)));

describe('a captured request', () => {
  test('200 times at once at three replicas has one effect, and no more after kill -9 and restart', async () => {
    verifies('T4.3', 'R.1', 'R.2');
    const sent = captured();
    const before = await tickets();
    assert.deepEqual(await replay(sent), { ok: 1, unauthenticated: TIMES - 1 });
    assert.equal(await tickets(), before + 1);
    await Promise.all(replicas.map((replica) => replica.kill()));
    replicas = await Promise.all(replicas.map(({ port }) => world.start(port)));
    await replayedInVain(sent, ['unauthenticated']);
  });

  test('whose replicas die while it is decided has one effect in the end', async () => {
    verifies('T4.3', 'R.1');
    const sent = captured();
    const before = await tickets();
    const first = replay(sent);
    for (const index of [0, 1]) {
      await sleep(20);
      await replicas[index]?.kill();
    }
    await first;
    replicas = await Promise.all(
      replicas.map((replica, index) => (index < 2 ? world.start(replica.port) : replica)),
    );
    await replay(sent);
    assert.equal(await tickets(), before + 1);
    await replayedInVain(sent, ['unauthenticated']);
  });
});

describe('with clocks that are wrong', () => {
  for (const wrongByMs of [5 * SECOND, -5 * SECOND, MINUTE, -MINUTE, HOUR, -HOUR]) {
    test(`by ${wrongByMs / SECOND} s it has one effect, by the database's time`, async () => {
      verifies('T4.3', 'C.6');
      const used = captured();
      const before = await tickets();
      assert.equal((await wire.send(used)).status, 200);
      await stepAll(wrongByMs);
      await replayedInVain(used, ['unauthenticated']);
      // Whoever has the wrong time may refuse what is good; one of three has the right time.
      await stepAll(wrongByMs, 0, -wrongByMs);
      const fresh = captured();
      assert.equal((await replay(fresh)).ok, 1);
      await stepAll(0);
      await replayedInVain(fresh, ['unauthenticated']);
      assert.equal(await tickets(), before + 2);
    });
  }

  test('what is too old or not yet valid is refused, however young the replicas believe it is', async () => {
    verifies('T4.3', 'C.6');
    for (const agedMs of [2 * MINUTE, HOUR, -2 * MINUTE, -HOUR]) {
      assert.equal((await wire.send(captured(agedMs))).code, 'unauthenticated');
      await stepAll(-agedMs);
      // A token and a signature of the replicas' own present: only the database is left to say no.
      const inTheirTime = wire.prepare(
        person('staff', world.tenant.staff.dana),
        'ticket.create',
        null,
        { site_id: world.tenant.siteId },
        { now: Date.now() - agedMs, token: tokenAt(-agedMs) },
      );
      await replayedInVain(inTheirTime, ['unauthenticated']);
      await stepAll(0);
    }
    assert.equal((await wire.send(captured())).status, 200);
  });
});

/** A token as identity would mint it whose clock is wrong like the replicas'. */
function tokenAt(wrongByMs: number): string {
  const iat = Math.floor((Date.now() + wrongByMs) / SECOND);
  const { claims } = person('staff', world.tenant.staff.dana);
  return wire.token('web', { ...claims, iat, exp: iat + 60 });
}

describe('without PostgreSQL', () => {
  test('there is no effect and 503; with it again, one', async () => {
    verifies('T4.3', 'C.6');
    const [used, fresh] = [captured(), captured()];
    assert.equal((await wire.send(used)).status, 200);
    await line.cut();
    for (const sent of [used, fresh]) await replayedInVain(sent, ['unavailable']);
    await line.mend();
    const before = await tickets();
    await replayedInVain(used, ['unauthenticated', 'unavailable']);
    await untilOneEffect(fresh, before);
  });

  test('that goes away in the middle, there is one effect or none, and one in the end', async () => {
    verifies('T4.3', 'C.6', 'R.1');
    for (const afterMs of [20, 100]) {
      const sent = captured();
      const before = await tickets();
      const under = replay(sent);
      await sleep(afterMs);
      await line.cut();
      const seen = await under;
      assert.ok((seen.ok ?? 0) <= 1, JSON.stringify(seen));
      await line.mend();
      await untilOneEffect(sent, before);
    }
  });
});

/** Sends it until it is used up: connections of the pools that were cut may fail first. */
async function untilOneEffect(sent: WireRequest, before: number): Promise<void> {
  const deadline = Date.now() + 20 * SECOND;
  for (;;) {
    const { ok = 0, unauthenticated = 0, ...others } = await replay(sent);
    assert.deepEqual(
      Object.keys(others).filter((code) => code !== 'unavailable'),
      [],
    );
    assert.ok(ok <= 1);
    if (ok + unauthenticated === TIMES) break;
    assert.ok(Date.now() < deadline, 'did not come back');
  }
  assert.equal(await tickets(), before + 1);
  await replayedInVain(sent, ['unauthenticated']);
}

describe('with a database whose own clock is wrong', () => {
  test('a floor that was moved up refuses what was signed before it, used or not', async () => {
    verifies('T4.3');
    const older = captured(3 * SECOND);
    await world.admin.query("update dispatch.nonce_floor set floor = now() - interval '1 second'");
    await replayedInVain(older, ['unauthenticated']);
    await sleep(SECOND);
    assert.equal((await replay(captured())).ok, 1);
  });

  test('what was pruned an hour ahead of time stays used, and nothing older than the floor comes in', async () => {
    verifies('T4.3', 'C.6');
    const [used, older] = [captured(), captured()];
    const before = await tickets();
    assert.equal((await wire.send(used)).status, 200);
    await stepDatabase('1 hour');
    await replayedInVain(used, ['unauthenticated', 'unavailable']);
    await prune();
    const { rows } = await world.admin.query('select count(*)::int as n from dispatch.nonces');
    assert.equal(rows[0].n, 0, 'every nonce is forgotten');
    await stepDatabase('0');
    for (const sent of [used, older, captured()]) {
      await replayedInVain(sent, ['unauthenticated', 'unavailable']);
    }
    assert.equal(await tickets(), before + 1);
  });
});

/** The service's role sees another `now()` from its next connection on. */
async function stepDatabase(by: string): Promise<void> {
  const { name } = world.database;
  await world.admin.query(`
    create schema if not exists stepped;
    create or replace function stepped.now() returns timestamptz language sql stable
      as $$ select pg_catalog.now() + interval '${by}' $$;
    grant usage on schema stepped to deadlatch_dispatch;
    alter role deadlatch_dispatch in database ${name} set search_path = stepped, pg_catalog, public`);
  await world.admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'deadlatch_dispatch'`,
    [name],
  );
  await sleep(100);
}

async function prune(): Promise<void> {
  const pool = testPool(world.database.urls.dispatch, 1);
  await pool.query('select dispatch.prune_nonces()');
  await pool.end();
}
