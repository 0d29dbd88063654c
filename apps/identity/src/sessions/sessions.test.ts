import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { spiffeId } from '@deadlatch/catalogue';
import {
  generateSigningKeyPem,
  loadSigningKey,
  signGrant,
  type TurnGrant,
  verifyTxnToken,
  withoutEnd,
} from '@deadlatch/signing';
import { SMTPServer } from 'smtp-server';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { ENVIRONMENT, grantBase } from '../testing/peers.ts';
import { asOwner, type CallOptions, pinKey, revokeKey, startWorld, type World } from '../testing/world.ts';

let world: World;
before(async () => {
  world = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer });
});
after(() => world?.close());

const staff = (): string => `staff:${world.tenant.staff.dana}`;
const text = (value: unknown): string => {
  assert.equal(typeof value, 'string');
  return value as string;
};
async function signIn(subject = staff()): Promise<string> {
  const link = await world.issueLink(subject, 'Dana');
  const { status, body } = await world.call('web', '/v1/sessions', { link });
  assert.equal(status, 200);
  return text(body.session);
}
const sessionToken = (session: string, service: 'web' | 'cli' | 'tool-bridge' | 'gateway' = 'web') =>
  world.call(service, '/v1/tokens/session', { session, correlation_id: randomUUID() });

describe('signing in', () => {
  it('starts a session of twelve hours from a link, once', async () => {
    verifies('T3.12');
    const link = await world.issueLink(staff(), 'Dana');
    const first = await world.call('web', '/v1/sessions', { link });
    assert.equal(first.status, 200);
    assert.match(text(first.body.session), /^[A-Za-z0-9_-]{43}$/);
    assert.equal(first.body.subject, staff());
    assert.equal(first.body.label, 'Dana');
    assert.deepEqual(first.body.roles, ['dispatcher']);
    const hours = (Date.parse(text(first.body.expires_at)) - Date.now()) / 3_600_000;
    assert.ok(hours > 11.9 && hours <= 12.01);
    const again = await world.call('web', '/v1/sessions', { link });
    assert.equal(again.status, 401);
    assert.equal(again.body.code, 'unauthenticated');
  });

  it('gives one session for one link, however many ask at once', async () => {
    verifies('T3.12', 'R.2');
    const link = await world.issueLink(staff());
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => world.call('web', '/v1/sessions', { link })),
    );
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, ...Array(7).fill(401)]);
  });

  it('refuses unknown and expired links with the same answer', async () => {
    verifies('T3.12');
    const link = await world.issueLink(staff());
    await world.admin.query(
      "update identity.sign_in_links set expires_at = now() - interval '1 second' where used_at is null",
    );
    const expired = await world.call('web', '/v1/sessions', { link });
    const unknown = await world.call('web', '/v1/sessions', { link: randomBytes(24).toString('base64url') });
    assert.equal(expired.status, 401);
    assert.deepEqual({ ...expired.body, request_id: '' }, { ...unknown.body, request_id: '' });
  });

  it('stores neither link nor session as they are', async () => {
    const link = await world.issueLink(staff());
    const session = text((await world.call('web', '/v1/sessions', { link })).body.session);
    const { rows } = await world.admin.query(
      'select hash from identity.sign_in_links union all select hash from identity.sessions',
    );
    const stored = rows.map((row: { hash: string }) => row.hash);
    assert.ok(stored.length >= 2);
    for (const secret of [link, session]) {
      assert.ok(!stored.includes(secret));
      assert.ok(!world.log.join('').includes(secret));
      assert.ok(!(await world.events()).some((event) => event.body.includes(secret)));
    }
  });

  it('is for web and cli only, and only for subjects they may speak for', async () => {
    verifies('T4.5', 'T4.2');
    for (const service of ['tool-bridge', 'gateway', 'worker', 'vault', 'dispatch-api'] as const) {
      const link = await world.issueLink(staff());
      const { status, body } = await world.call(service, '/v1/sessions', { link });
      assert.equal(status, 403, service);
      assert.equal(body.code, 'above_ceiling');
      assert.equal((await world.call('web', '/v1/sessions', { link })).status, 200, 'the link is still good');
    }
    const system = await world.issueLink(`system:${randomUUID()}`);
    assert.equal((await world.call('web', '/v1/sessions', { link: system })).body.code, 'above_ceiling');
  });

  it('ends with the session', async () => {
    const session = await signIn();
    assert.equal((await sessionToken(session)).status, 200);
    assert.equal((await world.call('web', '/v1/sessions/end', { session })).status, 200);
    assert.equal((await sessionToken(session)).status, 401);
    assert.equal((await world.call('web', '/v1/sessions/end', { session })).status, 401);
    const other = await signIn();
    await world.admin.query("update identity.sessions set expires_at = now() - interval '1 second'");
    assert.equal((await sessionToken(other)).status, 401);
  });
});

describe('session tokens', () => {
  it('are what the session gives, for the service that asked', async () => {
    verifies('T4.5', 'A.2');
    const session = await signIn();
    const { body } = await sessionToken(session);
    const check = {
      keys: [withoutEnd(world.tokenKey)],
      issuer: spiffeId(ENVIRONMENT, 'identity'),
      audience: spiffeId(ENVIRONMENT, 'dispatch-api'),
      now: Date.now(),
    };
    const claims = verifyTxnToken(text(body.token), { ...check, requestedBy: spiffeId(ENVIRONMENT, 'web') });
    assert.equal(claims.sub, staff());
    assert.equal(claims.rctx.assurance, 'L1');
    assert.equal(claims.scope, 'person');
    assert.equal(claims.tctx.action_digest, undefined);
    assert.throws(() =>
      verifyTxnToken(text(body.token), { ...check, requestedBy: spiffeId(ENVIRONMENT, 'cli') }),
    );
  });

  it('are not minted for others, nor for kinds of subject above the ceiling', async () => {
    verifies('T4.5');
    const session = await signIn();
    for (const service of ['tool-bridge', 'gateway'] as const) {
      assert.equal((await sessionToken(session, service)).status, 403, service);
    }
    const link = await signIn(`link:${randomUUID()}`);
    assert.equal((await sessionToken(link, 'web')).status, 200);
    assert.equal((await sessionToken(link, 'cli')).body.code, 'above_ceiling');
  });
});

describe('turn tokens', () => {
  const grant = (change: Partial<TurnGrant> = {}, key = world.grantKey): string =>
    signGrant(
      'turn',
      {
        ...grantBase('identity', world.tenant.tenantId),
        turn: randomUUID(),
        conversation: randomUUID(),
        message: randomUUID(),
        subject: `contact:${world.tenant.contacts.maria}`,
        assurance: 'L1',
        agent_role: 'agent.intake',
        ticket: null,
        correlation_id: randomUUID(),
        ...change,
      },
      key,
    );
  const ask = (turnGrant: string, service: 'tool-bridge' | 'web' | 'cli' = 'tool-bridge') =>
    world.call(service, '/v1/tokens/turn', { turn_grant: turnGrant });

  it('copy the grant', async () => {
    verifies('T4.8', 'T1.9');
    const { status, body } = await ask(grant());
    assert.equal(status, 200);
    const claims = verifyTxnToken(text(body.token), {
      keys: [withoutEnd(world.tokenKey)],
      issuer: spiffeId(ENVIRONMENT, 'identity'),
      audience: spiffeId(ENVIRONMENT, 'dispatch-api'),
      requestedBy: spiffeId(ENVIRONMENT, 'tool-bridge'),
      now: Date.now(),
    });
    assert.equal(claims.sub, `contact:${world.tenant.contacts.maria}`);
    assert.equal(claims.act?.role, 'agent.intake');
  });

  it('need a grant of dispatch-api: alive, for identity, for this tenant', async () => {
    verifies('T4.8');
    const past = Math.floor(Date.now() / 1000) - 300;
    const bad = [
      grant({}, loadSigningKey(generateSigningKeyPem())),
      grant({}, world.tokenKey),
      grant({ iat: past, exp: past + 60 }),
      grant({ aud: spiffeId(ENVIRONMENT, 'vault') }),
      grant({ iss: spiffeId(ENVIRONMENT, 'web') }),
      grant({ tenant: randomUUID() }),
      `${grant().slice(0, -4)}AAAA`,
      'x.y.z',
    ];
    for (const turnGrant of bad) {
      const { status, body } = await ask(turnGrant);
      assert.equal(status, 401);
      assert.equal(body.code, 'unauthenticated');
    }
  });

  it('are for the bridge alone, up to its ceiling', async () => {
    verifies('T4.5');
    assert.equal((await ask(grant(), 'web')).status, 403);
    assert.equal((await ask(grant(), 'cli')).status, 403);
    assert.equal((await ask(grant({ assurance: 'L2' }))).body.code, 'above_ceiling');
    const asStaff = grant({ subject: `staff:${randomUUID()}` });
    assert.equal((await ask(asStaff)).body.code, 'above_ceiling');
  });
});

describe('the edge', () => {
  it('burns each nonce once', async () => {
    verifies('T4.3');
    const session = await signIn();
    const body = { session, correlation_id: randomUUID() };
    const nonce = randomBytes(16).toString('base64url');
    assert.equal((await world.call('web', '/v1/tokens/session', body, { nonce })).status, 200);
    const before = (await world.events()).length;
    assert.equal((await world.call('web', '/v1/tokens/session', body, { nonce })).status, 401);
    assert.equal((await world.events()).length, before, 'whoever replays cannot fill the trail');
  });

  it('writes so many refusals a minute one by one, and one event about all the others', async () => {
    verifies('F.6', 'T4.3');
    const own = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer });
    try {
      const body = { session: randomBytes(32).toString('base64url'), correlation_id: randomUUID() };
      const nonce = randomBytes(16).toString('base64url');
      const asked = (options?: CallOptions) => own.call('web', '/v1/tokens/session', body, options);
      for (let n = 0; n < 64; n += 1) assert.equal((await asked()).status, 401);
      assert.equal((await asked({ nonce })).status, 401);
      assert.equal((await own.events()).length, 60);
      const nonces = async () =>
        (await own.admin.query<{ n: number }>('select count(*)::int as n from identity.nonces')).rows[0]?.n;
      assert.equal(await nonces(), 65, 'what is counted burns its nonce all the same');
      assert.equal((await asked({ nonce })).status, 401);
      assert.equal(await nonces(), 65);
      // Another code, and what is accepted, have nothing to do with it.
      assert.equal((await own.call('web', '/v1/sessions', {})).status, 400);
      const link = await own.issueLink(`staff:${own.tenant.staff.dana}`);
      assert.equal((await own.call('web', '/v1/sessions', { link })).status, 200);
      assert.equal((await own.events()).length, 62);
      await own.stop();
      const last = (await own.events()).at(-1);
      assert.deepEqual([last?.command, last?.decision], ['refusals.counted', 'refused']);
      const { code, details } = JSON.parse(last?.body ?? '') as {
        code: string;
        details: Record<string, unknown>;
      };
      assert.equal(code, 'unauthenticated');
      assert.deepEqual([details.count, details.service, details.subject], [5, 'web', 'nobody']);
    } finally {
      await own.close();
    }
  });

  it('refuses unpinned, foreign and revoked keys, and requests for somebody else', async () => {
    verifies('T4.2', 'T4.4');
    const ask = async (options: CallOptions) =>
      (await world.call('web', '/v1/sessions', { link: await world.issueLink(staff()) }, options)).status;
    const [unpinned, foreign, rotated] = [1, 2, 3].map(() => loadSigningKey(generateSigningKeyPem()));
    assert.ok(unpinned && foreign && rotated);
    await pinKey(world.admin, world.tenant.tenantId, 'web', foreign, 'prod');
    await pinKey(world.admin, world.tenant.tenantId, 'web', rotated);
    try {
      // Beyond the 30 s for which keys are remembered, twice.
      world.clock.offsetMs = 31_000;
      assert.equal(await ask({ key: rotated }), 200);
      assert.equal(await ask({ key: unpinned }), 401);
      assert.equal(await ask({ key: foreign }), 401);
      await revokeKey(world.admin, world.tenant.tenantId, rotated);
      world.clock.offsetMs = 0;
      assert.equal(await ask({ key: rotated }), 401);
    } finally {
      world.clock.offsetMs = 0;
    }
    assert.equal(await ask({ audience: spiffeId(ENVIRONMENT, 'vault') }), 401);
    assert.equal(await ask({}), 200);
  });

  it('refuses bodies that are not exactly what is expected', async () => {
    verifies('I.1', 'I.2');
    for (const body of [{}, { link: 'short' }, { link: 7 }, { link: 'a'.repeat(32), more: 1 }]) {
      const { status, body: problem } = await world.call('web', '/v1/sessions', body);
      assert.equal(status, 400);
      assert.equal(problem.code, 'schema_mismatch');
    }
  });

  it('writes an event for every answer, accepted or refused, without a secret or a name', async () => {
    verifies('F.1', 'F.6');
    const before = (await world.events()).length;
    const session = await signIn();
    await sessionToken(session);
    await sessionToken(randomBytes(32).toString('base64url'));
    await world.call('gateway', '/v1/sessions', { link: 'a'.repeat(32) });
    const events = (await world.events()).slice(before);
    assert.deepEqual(
      events.map((event) => [event.command, event.decision]),
      [
        ['session.start', 'accepted'],
        ['token.mint', 'accepted'],
        ['token.mint', 'refused'],
        ['session.start', 'refused'],
      ],
    );
    assert.ok(!events.some((event) => event.body.includes('Dana')));
  });

  it('answers 503 when the database is down', async () => {
    verifies('C.6');
    const own = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer });
    try {
      const link = await own.issueLink(`staff:${own.tenant.staff.dana}`);
      await asOwner(own.admin, (query) => query('revoke insert on identity.nonces from deadlatch_identity'));
      const refused = await own.call('web', '/v1/sessions', { link });
      assert.equal(refused.status, 503);
      assert.equal(refused.body.code, 'unavailable');
      const { rows } = await own.admin.query('select count(*)::int as n from identity.sessions');
      assert.equal((rows[0] as { n: number }).n, 0);
      await asOwner(own.admin, (query) =>
        query('revoke select on trust.service_keys from deadlatch_identity'),
      );
      own.clock.offsetMs = 31_000;
      assert.equal((await own.call('web', '/v1/sessions', { link })).status, 503);
    } finally {
      await own.close();
    }
  });
});
