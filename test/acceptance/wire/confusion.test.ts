import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { spiffeId } from '@deadlatch/catalogue';
import type { ServiceKeyPair } from '@deadlatch/signing';
import { verifies } from '../../requirements.ts';
import { type DispatchWorld, ENVIRONMENT, type Replica } from '../../support/dispatch-api.ts';
import { tableState } from '../../support/table-state.ts';
import {
  type Claims,
  createWire,
  digestOf,
  headerOf,
  person,
  signAgain,
  signJws,
  type Wire,
  type WireAnswer,
  type WireRequest,
  withExtra,
  withHeader,
} from '../../support/wire.ts';
import { createWitnessedWorld } from '../../support/witnessed-world.ts';

/** Requests that are almost right, against a running service: refused, and nothing is written anywhere. */
let world: DispatchWorld;
let replica: Replica;
let wire: Wire;
let next: ServiceKeyPair;
const keys: Record<'otherEnvironment' | 'revoked' | 'early' | 'late', ServiceKeyPair> = Object.create(null);

before(async () => {
  world = await createWitnessedWorld();
  keys.otherEnvironment = await world.pin('web', { environment: 'production' });
  keys.revoked = await world.pin('web', { isRevoked: true });
  keys.early = await world.pin('web', { from: 60_000 });
  keys.late = await world.pin('web', { from: -120_000, until: -60_000 });
  next = await world.pin('web');
  replica = await world.start();
  wire = createWire(world, replica.port);
});
after(() => world.close());

const dana = () => person('staff', world.tenant.staff.dana);
const create = () => wire.prepare(dana(), 'ticket.create', null, { site_id: world.tenant.siteId });

async function refusedWithoutTrace(sent: WireRequest): Promise<WireAnswer> {
  const before = await tableState(world.admin);
  const answer = await wire.send(sent);
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.code}`);
  assert.equal(answer.type, 'application/problem+json');
  assert.deepEqual(await tableState(world.admin), before);
  return answer;
}

/** The very request that was spoiled is accepted when nobody spoils it. */
async function accepted(sent: WireRequest): Promise<void> {
  const answer = await wire.send(sent);
  assert.deepEqual([answer.status, answer.body.ticket?.state], [200, 'NEW']);
}

const swapParams = (pattern: RegExp | string, by: string) => (sent: WireRequest) =>
  signAgain(sent, world.key('web'), (params, components) => {
    const next = params.replace(pattern, by);
    assert.notEqual(next, params);
    return { params: next, components };
  });
const swapComponents = (pattern: RegExp | string, by: string) => (sent: WireRequest) =>
  signAgain(sent, world.key('web'), (params, components) => {
    const next = components.replace(pattern, by);
    assert.notEqual(next, components);
    return { params, components: next };
  });

type Spoil = (sent: WireRequest) => WireRequest;

/** Wrong in the signature, its parameters or what it covers. */
const SIGNATURES: Readonly<Record<string, Spoil>> = {
  unsigned: (s) => withHeader(withHeader(s, 'signature', null), 'signature-input', null),
  'a signature that nothing describes': (s) => withHeader(s, 'signature-input', null),
  'a description without a signature': (s) => withHeader(s, 'signature', null),
  'two signatures in one header': (s) =>
    withHeader(
      withHeader(
        s,
        'signature',
        `${headerOf(s, 'signature')}, ${headerOf(s, 'signature').replace('sig1', 'sig2')}`,
      ),
      'signature-input',
      `${headerOf(s, 'signature-input')}, ${headerOf(s, 'signature-input').replace('sig1', 'sig2')}`,
    ),
  'wrong tag': swapParams('deadlatch-request', 'deadlatch-answer'),
  'no tag': swapParams(/;tag="[^"]*"/, ''),
  'wrong audience': swapParams('/dispatch-api"', '/vault"'),
  'audience of another environment': swapParams(`//${ENVIRONMENT}.`, '//production.'),
  'an algorithm to choose from': swapParams(/$/, ';alg="ed25519"'),
  'a parameter twice': swapParams(/(;tag="[^"]*")/, '$1$1'),
  'created twice': swapParams(/(;created=\d+)/, '$1$1'),
  'no expiry': swapParams(/;expires=\d+/, ''),
  'no nonce': swapParams(/;nonce="[^"]*"/, ''),
  'a short nonce': swapParams(/;nonce="[^"]*"/, ';nonce="AAAAAAAAAAAAAAAAAAAA"'),
  'a component twice': swapComponents('"@path"', '"@path" "@path"'),
  'components in another order': swapComponents('"@method" "@path"', '"@path" "@method"'),
  'a component with a parameter': swapComponents('"content-digest"', '"content-digest";bs'),
  'the body not covered': swapComponents(' "content-digest"', ''),
  'the idempotency key not covered': swapComponents(' "idempotency-key"', ''),
  'the user token not covered': swapComponents(' "txn-token"', ''),
  'the query not covered': swapComponents(' "@query"', ''),
  'one more component': swapComponents(')', ' "host")'),
  'body swapped': (s) => ({ ...s, body: Buffer.from(JSON.stringify({ site_id: randomUUID() })) }),
  'body and digest swapped': (s) => {
    const body = Buffer.from(JSON.stringify({ site_id: randomUUID() }));
    return { ...withHeader(s, 'content-digest', digestOf(body)), body };
  },
  'another digest beside it': (s) =>
    withHeader(s, 'content-digest', `${headerOf(s, 'content-digest')}, sha-512=:AAAA:`),
  'digest of another algorithm': (s) =>
    withHeader(s, 'content-digest', headerOf(s, 'content-digest').replace('sha-256', 'sha-512')),
  'digest with a parameter': (s) => withHeader(s, 'content-digest', `${headerOf(s, 'content-digest')};x`),
  'idempotency key swapped': (s) => withHeader(s, 'idempotency-key', randomUUID()),
  'token of another person': (s) =>
    withHeader(s, 'txn-token', wire.token('web', person('staff', world.tenant.staff.sue).claims ?? {})),
  'token taken away': (s) => withHeader(s, 'txn-token', null),
  'a query added': (s) => ({ ...s, target: `${s.target}?state=NEW` }),
  'sent to another command': (s) => ({ ...s, target: '/v1/autonomy.pause' }),
};

describe('a request that is signed almost rightly', () => {
  for (const [name, spoil] of Object.entries(SIGNATURES)) {
    test(name, async () => {
      verifies('T4.3', 'T4.4', 'A.1', 'C.0');
      const sent = create();
      assert.equal((await refusedWithoutTrace(spoil(sent))).code, 'unauthenticated');
      await accepted(sent);
    });
  }

  test('a digest that the signer itself got wrong', async () => {
    verifies('T4.4');
    const sent = create();
    const other = withHeader(sent, 'content-digest', digestOf(Buffer.from('{}')));
    const lie = signAgain(other, world.key('web'), (params, components) => ({ params, components }));
    assert.equal((await refusedWithoutTrace(lie)).code, 'unauthenticated');
    const two = withHeader(sent, 'content-digest', `${headerOf(sent, 'content-digest')}, sha-512=:AAAA:`);
    const signedTwo = signAgain(two, world.key('web'), (params, components) => ({ params, components }));
    assert.equal((await refusedWithoutTrace(signedTwo)).code, 'unauthenticated');
    await accepted(signAgain(sent, world.key('web'), (params, components) => ({ params, components })));
  });

  test('headers that come twice are one reading too many', async () => {
    verifies('T4.4', 'I.4');
    for (const name of [
      'txn-token',
      'content-digest',
      'idempotency-key',
      'signature',
      'signature-input',
      'content-type',
      'host',
    ]) {
      const sent = create();
      const value = name === 'host' ? 'elsewhere' : headerOf(sent, name);
      const answer = await refusedWithoutTrace(withExtra(sent, name, value));
      assert.ok(['unauthenticated', 'malformed_body'].includes(answer.code), `${name}: ${answer.code}`);
      await accepted(sent);
    }
  });

  test('without its idempotency key', async () => {
    verifies('C.1');
    const answer = await refusedWithoutTrace(withHeader(create(), 'idempotency-key', null));
    assert.deepEqual([answer.status, answer.code], [400, 'missing_idempotency_key']);
  });
});

describe('time', () => {
  const at = (offsetMs: number, lifetimeS = 60) =>
    wire.prepare(
      dana(),
      'ticket.create',
      null,
      { site_id: world.tenant.siteId },
      { now: Date.now() + offsetMs, lifetimeS },
    );

  test('expired, from the future, or meant to live too long', async () => {
    verifies('T4.3');
    for (const sent of [at(-90_000), at(-10_000, 5), at(30_000)]) {
      assert.equal((await refusedWithoutTrace(sent)).code, 'unauthenticated');
    }
    const long = swapParams(/;expires=\d+/, `;expires=${Math.floor(Date.now() / 1000) + 3_600}`)(create());
    assert.equal((await refusedWithoutTrace(long)).code, 'unauthenticated');
    await accepted(at(-30_000));
    await accepted(at(2_000));
  });

  test('the same request works once: again, at another replica, and after kill -9 and a restart', async () => {
    verifies('T4.3', 'R.1');
    const sent = at(0);
    await accepted(sent);
    assert.equal((await refusedWithoutTrace(sent)).code, 'unauthenticated');
    const other = await world.start();
    const there = createWire(world, other.port);
    const before = await tableState(world.admin);
    assert.equal((await there.send(sent)).code, 'unauthenticated');
    await replica.kill();
    replica = await world.start(replica.port);
    assert.equal((await wire.send(sent)).code, 'unauthenticated');
    assert.deepEqual(await tableState(world.admin), before);
    await accepted(create());
    await other.kill();
  });

  test('a refused command is used up too', async () => {
    verifies('T4.3', 'F.6');
    const sent = wire.prepare(dana(), 'ticket.ready', randomUUID(), {});
    assert.equal((await wire.send(sent)).code, 'not_found');
    assert.equal((await refusedWithoutTrace(sent)).code, 'unauthenticated');
  });
});

describe('keys', () => {
  const signedBy = (key: ServiceKeyPair) =>
    wire.prepare({ ...dana(), key }, 'ticket.create', null, { site_id: world.tenant.siteId });

  test('of another environment, revoked, not valid yet or any more, or never pinned', async () => {
    verifies('T4.2');
    for (const key of [...Object.values(keys), world.key('agent'), world.key('simulator'), world.tokenKey]) {
      assert.equal((await refusedWithoutTrace(signedBy(key))).code, 'unauthenticated');
    }
    await accepted(signedBy(world.key('web')));
  });

  test('a second key of the same service is as good while both are valid', async () => {
    verifies('T4.2');
    await accepted(signedBy(next));
    await accepted(signedBy(world.key('web')));
  });
});

describe('paths', () => {
  const ticketPath = (id: string) => `/v1/tickets/${id}/ticket.ready`;

  test('only the bytes that were signed are routed', async () => {
    verifies('T4.4', 'C.0');
    const id = randomUUID();
    const sent = wire.prepare(dana(), 'ticket.ready', id, {});
    const tricks = [
      `http://127.0.0.1:${replica.port}${ticketPath(id)}`,
      `//v1/tickets/${id}/ticket.ready`,
      `/v1//tickets/${id}/ticket.ready`,
      `/v1/./tickets/${id}/ticket.ready`,
      `/v1/tickets/x/../${id}/ticket.ready`,
      `/v1/tickets/${id}/ticket%2Eready`,
      `/v1/tickets/${id}/ticket%2eready`,
      `/v1/tickets/${id}%2Fticket.ready`,
      `/v1/tickets/${id}/ticket.ready/`,
      `/v1/tickets/${id}/ticket.ready;v=1`,
      `/v1/tickets/${id}/ticket.ready?`,
      `/v1/tickets/${id}/ticket.ready#x`,
      `/v1\\tickets\\${id}\\ticket.ready`,
      `/V1/tickets/${id}/ticket.ready`,
      `/v1/tickets/${id}/TICKET.READY`,
      `/v1/approvals/${id}/ticket.ready`,
      `/v1/ticket.ready`,
      `/v1/tickets//ticket.ready`,
      ticketPath(randomUUID()),
    ];
    for (const target of tricks) {
      const answer = await refusedWithoutTrace({ ...sent, target });
      assert.ok([400, 401, 404].includes(answer.status), `${target}: ${answer.status}`);
    }
    assert.equal((await wire.send(sent)).code, 'not_found');
  });

  test('a command is a POST and a read a GET', async () => {
    verifies('T4.4');
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      await refusedWithoutTrace({ ...create(), method });
    }
  });
});

/** Wrong in the user token; the request around it is signed as it should be. */
const TOKENS: Readonly<Record<string, (good: Claims) => string>> = {
  'of another service': (c) => wire.token('cli', c),
  'for another receiver': (c) => wire.token('web', { ...c, aud: spiffeId(ENVIRONMENT, 'vault') }),
  'for several receivers': (c) =>
    wire.token('web', { ...c, aud: [spiffeId(ENVIRONMENT, 'dispatch-api'), spiffeId(ENVIRONMENT, 'vault')] }),
  'for one receiver, as a list': (c) =>
    wire.token('web', { ...c, aud: [spiffeId(ENVIRONMENT, 'dispatch-api')] }),
  'of another issuer': (c) => wire.token('web', { ...c, iss: spiffeId(ENVIRONMENT, 'web') }),
  'of another environment': (c) => wire.token('web', { ...c, iss: spiffeId('production', 'identity') }),
  'without an expiry': (c) => wire.token('web', { ...c, exp: undefined }),
  'without a time of issue': (c) => wire.token('web', { ...c, iat: undefined }),
  'without an id': (c) => wire.token('web', { ...c, txn: undefined }),
  'without a tenant': (c) => wire.token('web', { ...c, tenant: undefined }),
  'without the service it is for': (c) => wire.token('web', { ...c, req_wl: undefined }),
  expired: (c) => wire.token('web', { ...c, iat: nowS() - 61, exp: nowS() - 1 }),
  'that lives too long': (c) => wire.token('web', { ...c, exp: nowS() + 3_600 }),
  'from the future': (c) => wire.token('web', { ...c, iat: nowS() + 30, exp: nowS() + 60 }),
  'whose expiry is a text': (c) => wire.token('web', { ...c, exp: String(nowS() + 60) }),
  'with a scope nobody knows': (c) => wire.token('web', { ...c, scope: 'admin' }),
  'with two scopes': (c) => wire.token('web', { ...c, scope: ['person', 'step-up'] }),
  'of a person that names an action': (c) =>
    wire.token('web', { ...c, tctx: { correlation_id: randomUUID(), action_digest: 'A'.repeat(43) } }),
  'of a person that names an agent': (c) =>
    wire.token('web', { ...c, act: { role: 'agent.intake', turn: randomUUID() } }),
  'with a claim nobody knows': (c) => wire.token('web', { ...c, roles: ['admin'] }),
  'with a subject of no kind': (c) => wire.token('web', { ...c, sub: `root:${randomUUID()}` }),
  'with two subjects': (c) => wire.token('web', { ...c, sub: [c.sub, c.sub] }),
  'with an assurance nobody knows': (c) =>
    wire.token('web', { ...c, rctx: { channel: 'web', assurance: 'L9', amr: [] } }),
  'signed by the service itself': (c) => signJws(header(world.key('web').keyId), full(c), world.key('web')),
  'signed by another key under the right name': (c) => signJws(header(), full(c), world.key('web')),
  'signed with the key for grants': (c) => signJws(header(), full(c), world.grantKey),
  'of the type of a grant': (c) => signJws({ ...header(), typ: 'turn-grant+jwt' }, full(c), world.tokenKey),
  'of no type': (c) => signJws({ alg: 'EdDSA', kid: world.tokenKey.keyId }, full(c), world.tokenKey),
  'without an algorithm': (c) => signJws({ ...header(), alg: 'none' }, full(c), world.tokenKey),
  'whose signature is cut off': (c) => wire.token('web', c).slice(0, -20),
  'whose claims were changed': (c) => {
    const [head, , tail] = wire.token('web', c).split('.');
    const [, other] = wire.token('web', { ...c, sub: `staff:${world.tenant.staff.sue}` }).split('.');
    return `${head}.${other}.${tail}`;
  },
};

const nowS = () => Math.floor(Date.now() / 1000);
const header = (kid = world.tokenKey.keyId) => ({ alg: 'EdDSA', kid, typ: 'txntoken+jwt' });
const full = (claims: Claims) => {
  const [, payload = ''] = wire.token('web', claims).split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
};

describe('a user token', () => {
  for (const [name, mint] of Object.entries(TOKENS)) {
    test(name, async () => {
      verifies('A.2', 'T4.5', 'T4.4');
      const good = dana().claims ?? {};
      const withToken = (token: string) =>
        wire.prepare(dana(), 'ticket.create', null, { site_id: world.tenant.siteId }, { token });
      assert.equal((await refusedWithoutTrace(withToken(mint(good)))).code, 'unauthenticated');
      await accepted(withToken(wire.token('web', good)));
    });
  }

  test('of another tenant opens nothing of this one, and of no tenant nothing at all', async () => {
    verifies('T4.6', 'A.3b');
    const other = await world.addTenant();
    const ticket = (await wire.send(create())).body.ticket;
    const theirs = person('staff', other.staff.dana);
    const foreign = { ...theirs, claims: { ...theirs.claims, tenant: other.tenantId } };
    const before = await tableState(world.admin, 'audit.events', 'dispatch.nonces');
    const triage = { type: 'DOOR_WONT_LATCH', answers: [] };
    assert.equal((await wire.command(foreign, 'ticket.triage', ticket.id, triage)).code, 'not_found');
    assert.equal((await wire.read(foreign, `/v1/tickets/${ticket.id}`)).code, 'not_found');
    assert.deepEqual((await wire.read(foreign, '/v1/tickets')).body.tickets, []);
    const inOurs = { ...theirs, claims: { ...theirs.claims, tenant: world.tenant.tenantId } };
    assert.equal((await wire.command(inOurs, 'ticket.triage', ticket.id, triage)).code, 'not_granted');
    const site = { site_id: world.tenant.siteId };
    assert.equal((await wire.command(foreign, 'ticket.create', null, site)).code, 'not_found');
    assert.deepEqual(await tableState(world.admin, 'audit.events', 'dispatch.nonces'), before);
    const nowhere = { ...theirs, claims: { ...theirs.claims, tenant: randomUUID() } };
    const sent = wire.prepare(nowhere, 'ticket.create', null, site);
    assert.equal((await refusedWithoutTrace(sent)).code, 'unauthenticated');
    assert.equal((await wire.command(dana(), 'ticket.triage', ticket.id, triage)).status, 200);
  });
});
