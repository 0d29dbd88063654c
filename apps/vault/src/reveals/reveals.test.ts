import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { spiffeId } from '@deadlatch/catalogue';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { ENVIRONMENT, startWorld, type World } from '../testing/world.ts';

const MARIA = '+15125550123';
const [maria, alan, account] = [randomUUID(), randomUUID(), randomUUID()];

let world: World;

before(async () => {
  const database = await createTestDatabase();
  const { tenantId } = await seedTenant(database.adminUrl);
  world = await startWorld({ database, tenantId });
  await world.enrol({
    contacts: [
      { contact_id: maria, account_id: account, name: 'Maria Quillon', phone: '(512) 555-0123' },
      { contact_id: alan, account_id: account, name: 'Alan Zebulon', email: 'zebulon@shop.example' },
    ],
    account_values: [],
  });
});
after(() => world.close());

async function countTexts(): Promise<number> {
  const { rows } = await world.admin.query<{ n: number }>('select count(*) as n from vault.texts');
  return rows[0]?.n ?? 0;
}

test('a grant reveals its field once, to its holder', async () => {
  verifies('T4.8', 'T5.5', 'F.2');
  const grant = world.grant({ contact: maria });
  const first = await world.call('gateway', '/v1/reveals', { grant });
  const shown = JSON.parse((await world.events()).at(-1)?.body ?? '');
  const claims = JSON.parse(Buffer.from(grant.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual([shown.command, shown.correlation_id], ['contact.reveal', claims.correlation_id]);
  assert.deepEqual(first, { status: 200, body: { fields: { phone: MARIA } } });
  const again = await world.call('gateway', '/v1/reveals', { grant });
  assert.equal(again.status, 403);
  assert.equal(again.body.code, 'not_granted');
  const email = world.grant({
    contact: alan,
    fields: ['email'],
    purpose: 'code',
    holder: spiffeId(ENVIRONMENT, 'identity'),
  });
  const revealed = await world.call('identity', '/v1/reveals', { grant: email });
  assert.deepEqual(revealed.body, { fields: { email: 'zebulon@shop.example' } });
});

test('of two uses of a grant at once exactly one succeeds', async () => {
  const grant = world.grant({ contact: maria });
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => world.call('gateway', '/v1/reveals', { grant })),
  );
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 403, 403, 403, 403, 403]);
});

test('every grant that is not exactly right is refused', async () => {
  verifies('T4.8', 'T5.5');
  const now = Math.floor(Date.now() / 1000);
  const otherKey = loadSigningKey(generateSigningKeyPem());
  const cases: readonly (readonly [string, string, number, string])[] = [
    [
      'another holder',
      world.grant({ contact: maria, holder: spiffeId(ENVIRONMENT, 'identity') }),
      403,
      'not_granted',
    ],
    ['another tenant', world.grant({ contact: maria, tenant: randomUUID() }), 404, 'not_found'],
    [
      'another audience',
      world.grant({ contact: maria, aud: spiffeId(ENVIRONMENT, 'identity') }),
      401,
      'unauthenticated',
    ],
    [
      'another issuer',
      world.grant({ contact: maria, iss: spiffeId(ENVIRONMENT, 'identity') }),
      401,
      'unauthenticated',
    ],
    ['another key', world.grant({ contact: maria }, otherKey), 401, 'unauthenticated'],
    [
      'another environment',
      world.grant({ contact: maria, aud: spiffeId('other', 'vault') }),
      401,
      'unauthenticated',
    ],
    ['expired', world.grant({ contact: maria, iat: now - 200, exp: now - 60 }), 401, 'unauthenticated'],
    ['an unknown contact', world.grant({ contact: randomUUID() }), 404, 'not_found'],
    ['a field not on file', world.grant({ contact: maria, fields: ['phone', 'email'] }), 404, 'not_found'],
    ['no grant', 'a.b.c', 401, 'unauthenticated'],
  ];
  const before = (await world.events()).filter((event) => event.command === 'contact.reveal').length;
  for (const [name, grant, status, code] of cases) {
    const answer = await world.call('gateway', '/v1/reveals', { grant });
    assert.equal(answer.status, status, name);
    assert.equal(answer.body.code, code, name);
    assert.equal(answer.body.fields, undefined, name);
  }
  const refusals = (await world.events()).filter((event) => event.command === 'contact.reveal').slice(before);
  assert.equal(refusals.length, cases.length);
  assert.ok(refusals.every((event) => event.decision === 'refused'));
});

test('a clock that is set back does not revive a grant', async () => {
  const iat = Math.floor(Date.now() / 1000) - 200;
  const grant = world.grant({ contact: maria, iat, exp: iat + 120 });
  world.clock.offsetMs = -190_000;
  try {
    const answer = await world.call('gateway', '/v1/reveals', { grant });
    assert.notEqual(answer.status, 200);
  } finally {
    world.clock.offsetMs = 0;
  }
});

test('each endpoint has its own callers and knows no others', async () => {
  verifies('T4.5');
  const grant = world.grant({ contact: maria, holder: spiffeId(ENVIRONMENT, 'worker') });
  const attempts: readonly (readonly [Parameters<World['call']>[0], string, object])[] = [
    ['web', '/v1/inbound', { provider_id: 'SM2', sealed: 'A'.repeat(80) }],
    ['identity', '/v1/inbound', { provider_id: 'SM2', sealed: 'A'.repeat(80) }],
    ['gateway', '/v1/texts', { text: 'hello' }],
    ['tool-bridge', '/v1/texts', { text: 'hello' }],
    ['worker', '/v1/reveals', { grant }],
    ['web', '/v1/reveals', { grant }],
    ['dispatch-api', '/v1/reveals', { grant }],
    ['gateway', '/v1/exit-checks', { contact_id: maria, text: 'hello' }],
  ];
  for (const [service, path, body] of attempts) {
    const answer = await world.call(service, path, body);
    assert.equal(answer.status, 403, `${service} ${path}`);
    assert.equal(answer.body.code, 'above_ceiling', `${service} ${path}`);
  }
});

test('a request that is replayed, foreign or unsigned by a pinned key has no effect', async () => {
  verifies('T4.3');
  const nonce = randomBytes(16).toString('base64url');
  const first = await world.call('web', '/v1/texts', { text: 'one' }, { nonce });
  assert.equal(first.status, 200);
  const before = await countTexts();
  const events = (await world.events()).length;
  const replayed = await world.call('web', '/v1/texts', { text: 'two' }, { nonce });
  const foreign = await world.call(
    'web',
    '/v1/texts',
    { text: 'x' },
    { audience: spiffeId(ENVIRONMENT, 'identity') },
  );
  const stranger = await world.call(
    'web',
    '/v1/texts',
    { text: 'x' },
    { key: loadSigningKey(generateSigningKeyPem()) },
  );
  for (const answer of [replayed, foreign, stranger]) {
    assert.equal(answer.status, 401);
    assert.equal(answer.body.code, 'unauthenticated');
  }
  assert.equal(await countTexts(), before);
  assert.equal((await world.events()).length, events);
});

// Last: afterwards this caller's budget is used up, and the vault has stopped.
test('refusals beyond the budget of a minute are counted into one event', async () => {
  verifies('F.6', 'T5.5');
  const before = (await world.events()).length;
  for (let n = 0; n < 63; n += 1) {
    assert.equal((await world.call('dispatch-api', '/v1/reveals', { grant: 'x' })).status, 403);
  }
  // Tests above may have used up some of this minute's.
  const single = (await world.events()).length - before;
  assert.ok(single > 50 && single <= 60, `${single}`);
  assert.equal(
    (await world.call('gateway', '/v1/reveals', { grant: world.grant({ contact: maria }) })).status,
    200,
  );
  await world.stop();
  const written = (await world.events()).slice(before + single + 1);
  assert.deepEqual(
    written.map(({ command, decision }) => [command, decision]),
    [['refusals.counted', 'refused']],
  );
  assert.equal(JSON.parse(written[0]?.body ?? '').details.count, 63 - single);
});
