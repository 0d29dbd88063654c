import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { type KeySource, keySource, openKeyDirectory, signingKeyOf, watchKey } from '@deadlatch/http';
import { mintTxnToken, type ServiceKeyPair } from '@deadlatch/signing';
import { createLogger } from '@deadlatch/telemetry';
import type { ListedKey } from '../../../apps/cli/src/keys/list-keys.ts';
import { stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { verifies } from '../../requirements.ts';
import { createDispatchWorld, type DispatchWorld, ENVIRONMENT } from '../../support/dispatch-api.ts';
import { createWire, type Wire, type WireAnswer } from '../../support/wire.ts';
import { startCli } from '../start/start.fixture.ts';

/** Three replicas on one database, whose clocks differ by as much as is allowed, while services send commands. */
const CLOCKS_OFF_MS = [4_000, 0, -4_000] as const;
const SENDERS = ['web', 'cli', 'web', 'cli'] as const satisfies readonly ServiceName[];
const PAUSE_MS = 100;
/** As `web` and the bridge keep a token. */
const KEEP_TOKEN_MS = 50_000;
const OVERLAP_S = 65;

let world: DispatchWorld;
let wires: readonly Wire[];
let load: Load;

before(async () => {
  world = await createDispatchWorld({ steppedClocks: true });
  const installation = { environment: ENVIRONMENT, tenantId: world.tenant.tenantId };
  await writeFile(stateDirAt(world.stateDir).installationFile, JSON.stringify(installation));
  const replicas = await Promise.all(CLOCKS_OFF_MS.map(() => world.start()));
  await Promise.all(replicas.map((replica, index) => replica.stepClock(CLOCKS_OFF_MS[index] ?? 0)));
  wires = replicas.map(({ port }) => createWire(world, port));
  load = startLoad();
});
after(async () => {
  await load?.stop();
  await world?.close();
});

const operator = async (...args: string[]) => {
  const env = { DATABASE_URL: world.database.adminUrl };
  const ended = await startCli([...args, '--state-dir', world.stateDir, '--json'], { env }).ended;
  assert.equal(ended.code, 0, ended.stderr);
  return JSON.parse(ended.stdout);
};

const keysOf = (service: ServiceName) => openKeyDirectory(join(world.stateDir, 'keys', service));
const silent = createLogger({ service: 'cli', level: 'error', write: () => undefined });
const watched = (source: KeySource) => watchKey(source, { now: Date.now, logger: silent });

/** A token for a dispatcher, as identity mints it. */
function mint(service: ServiceName, key: ServiceKeyPair): string {
  const iat = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: spiffeId(ENVIRONMENT, 'identity'),
    aud: spiffeId(ENVIRONMENT, 'dispatch-api'),
    iat,
    exp: iat + 60,
    txn: randomUUID(),
    tenant: world.tenant.tenantId,
    sub: `staff:${world.tenant.staff.dana}`,
    scope: 'person' as const,
    req_wl: spiffeId(ENVIRONMENT, service),
    tctx: { correlation_id: randomUUID() },
    rctx: { channel: 'web', assurance: 'L1' as const, amr: ['link'] },
  };
  return mintTxnToken(claims, key);
}

/** One ticket, opened by a dispatcher through a service. */
function open(wire: Wire, service: ServiceName, key: ServiceKeyPair, token: string): Promise<WireAnswer> {
  const dana = { service, claims: null, key };
  return wire.command(dana, 'ticket.create', null, { site_id: world.tenant.siteId }, { token });
}

interface Load {
  /** Codes of every answer so far, and how often each came. */
  tally(): Readonly<Record<string, number>>;
  /** Keys that the senders of a service have signed with. */
  used(service: ServiceName): ReadonlySet<string>;
  stopSending(service: ServiceName): void;
  stop(): Promise<void>;
}

/** Senders that work as services do: each signs with what its key file holds, and keeps a token while it lives. */
function startLoad(): Load {
  const codes: Record<string, number> = {};
  const used = new Map<ServiceName, Set<string>>();
  const stopped = new Set<ServiceName>();
  const tokenKey = watched(
    keySource(keysOf('identity'), 'token', () => keysOf('identity').trust().tokenKeys),
  );
  const send = async (service: ServiceName, first: number) => {
    const key = watched(signingKeyOf(keysOf(service), service));
    let kept = { token: '', until: 0 };
    for (let turn = first; !stopped.has(service); turn += 1) {
      if (kept.until < Date.now())
        kept = { token: mint(service, tokenKey()), until: Date.now() + KEEP_TOKEN_MS };
      const now = key();
      used.set(service, (used.get(service) ?? new Set()).add(now.keyId));
      const { code } = await open(wires[turn % wires.length] as Wire, service, now, kept.token);
      codes[code] = (codes[code] ?? 0) + 1;
      await sleep(PAUSE_MS);
    }
  };
  const sending = SENDERS.map(send);
  return {
    tally: () => ({ ...codes }),
    used: (service) => used.get(service) ?? new Set(),
    stopSending: (service) => void stopped.add(service),
    stop: async () => {
      for (const service of SENDERS) stopped.add(service);
      await Promise.all(sending);
    },
  };
}

/** What each replica answers to one more command. */
async function everywhere(service: ServiceName, key: ServiceKeyPair, token: ServiceKeyPair) {
  const answers = await Promise.all(wires.map((wire) => open(wire, service, key, mint(service, token))));
  return answers.map(({ code }) => code);
}
const everybody = (code: string) => wires.map(() => code);

describe('while commands flow', () => {
  let rotated: readonly { service: string; purpose: string; keyid: string; old_until: string }[];
  const current = {
    web: () => watched(signingKeyOf(keysOf('web'), 'web'))(),
    token: () =>
      watched(keySource(keysOf('identity'), 'token', () => keysOf('identity').trust().tokenKeys))(),
  };

  test('every key is replaced without one refusal', async () => {
    verifies('T4.2');
    rotated = await operator('keys', 'rotate', 'all', '--overlap', String(OVERLAP_S));
    const tokens = rotated.filter(({ purpose }) => purpose !== 'signing').map(({ purpose }) => purpose);
    assert.deepEqual(tokens, ['grant', 'token']);
    await sleep(10_000);
    for (const service of ['web', 'cli'] as const) {
      const key = rotated.find((found) => found.service === service && found.purpose === 'signing');
      assert.deepEqual([...load.used(service)], [world.key(service).keyId, key?.keyid]);
    }
    const { ok = 0, ...refusals } = load.tally();
    assert.deepEqual(refusals, {});
    assert.ok(ok > 100, `${ok} commands are no load`);
  });

  test('the old keys count until their time is over, and no longer', async () => {
    verifies('T4.2');
    const [oldWeb, oldToken] = [world.key('web'), world.tokenKey];
    assert.deepEqual(await everywhere('web', oldWeb, current.token()), everybody('ok'));
    assert.deepEqual(await everywhere('web', current.web(), oldToken), everybody('ok'));
    const ends = Math.max(...rotated.map((key) => Date.parse(key.old_until)));
    // By the clock of whoever is behind.
    await sleep(Math.max(0, ends - Date.now()) + 5_000);
    assert.deepEqual(await everywhere('web', oldWeb, current.token()), everybody('unauthenticated'));
    assert.deepEqual(await everywhere('web', current.web(), oldToken), everybody('unauthenticated'));
    const { ok: _, ...refusals } = load.tally();
    assert.deepEqual(refusals, {});
  });

  test('a revoked key is refused by every replica within 60 s, and by nobody else', async () => {
    verifies('T4.2');
    load.stopSending('cli');
    const stolen = watched(signingKeyOf(keysOf('cli'), 'cli'))();
    assert.deepEqual(await everywhere('cli', stolen, current.token()), everybody('ok'));
    const silenced = await operator('keys', 'revoke', stolen.keyId, '--yes');
    assert.equal(silenced.is_silenced, true);
    const revokedAt = Date.now();
    let answers = await everywhere('cli', stolen, current.token());
    while (answers.includes('ok')) {
      assert.ok(Date.now() - revokedAt < 60_000, `after a minute: ${answers}`);
      await sleep(1_000);
      answers = await everywhere('cli', stolen, current.token());
    }
    assert.deepEqual(answers, everybody('unauthenticated'));

    const [{ keyid }] = await operator('keys', 'rotate', 'cli');
    const fresh = watched(signingKeyOf(keysOf('cli'), 'cli'));
    assert.equal(fresh().keyId, keyid);
    await sleep(30_000);
    assert.deepEqual(await everywhere('cli', fresh(), current.token()), everybody('ok'));
    assert.deepEqual(await everywhere('cli', stolen, current.token()), everybody('unauthenticated'));
    const states = ((await operator('keys', 'list')) as ListedKey[])
      .filter((key) => key.service === 'cli' && key.purpose === 'signing')
      .map(({ state }) => state);
    assert.deepEqual(states, ['expired', 'revoked', 'current']);
    const { ok: _, ...refusals } = load.tally();
    assert.deepEqual(refusals, {});
  });
});
