import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { spiffeId } from '@deadlatch/catalogue';
import { type AdoptGrant, generateSigningKeyPem, loadSigningKey, signGrant } from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { ENVIRONMENT, startWorld, type World } from '../testing/world.ts';

const [alan, account] = [randomUUID(), randomUUID()];
let world: World;

before(async () => {
  const database = await createTestDatabase();
  const { tenantId } = await seedTenant(database.adminUrl);
  world = await startWorld({ database, tenantId });
  const known = {
    contact_id: alan,
    account_id: account,
    name: 'Alan Zebulon',
    email: 'zebulon@shop.example',
  };
  await world.enrol({ contacts: [known], account_values: [] });
});
after(() => world.close());

async function words(text: string): Promise<string> {
  const { body } = await world.call('web', '/v1/texts', { text });
  return String(body.text_id);
}

function grantFor(claims: Partial<AdoptGrant>, key = world.grantKey): string {
  const iat = Math.floor(Date.now() / 1000);
  const whole: AdoptGrant = {
    iss: spiffeId(ENVIRONMENT, 'dispatch-api'),
    aud: spiffeId(ENVIRONMENT, 'vault'),
    iat,
    exp: iat + 120,
    jti: randomUUID(),
    tenant: world.tenantId,
    contact: randomUUID(),
    account,
    name: null,
    phone: null,
    email: null,
    correlation_id: randomUUID(),
    ...claims,
  };
  return signGrant('adopt', whole, key);
}

const adopt = (grant: string, service: 'identity' | 'web' | 'worker' = 'identity') =>
  world.call(service, '/v1/adoptions', { grant });

test('words become a contact who is found by their number, and the old address is answered once', async () => {
  verifies('T3.6', 'T4.8', 'T5.5');
  const contact = randomUUID();
  const grant = grantFor({
    contact,
    name: await words('Nina Oxenham'),
    phone: await words(' (512) 555-0177 '),
  });
  assert.deepEqual(await adopt(grant), {
    status: 200,
    body: { fields: { phone: '+15125550177' }, before: {}, is_shared: false },
  });
  assert.equal((await adopt(grant)).body.code, 'not_granted');
  const heard = await world.receive('+15125550177', 'the door sticks');
  assert.equal(heard.body.contact_id, contact);
  const changed = await adopt(grantFor({ contact: alan, email: await words('alan@other.example') }));
  assert.deepEqual(changed.body, {
    fields: { email: 'alan@other.example' },
    before: { email: 'zebulon@shop.example' },
    is_shared: false,
  });
  const twin = await adopt(
    grantFor({ contact: randomUUID(), name: await words('Nino'), phone: await words('+1 512 555 0177') }),
  );
  assert.equal(twin.body.is_shared, true);
  const stranger = await world.receive('+15125550177', 'the door sticks again');
  assert.equal(stranger.body.contact_id, null);
  const events = (await world.events()).filter(({ command }) => command === 'contact.adopt');
  assert.ok(events.length >= 3);
  assert.ok(!events.some(({ body }) => /Oxenham|0177|example/.test(body)));
});

test('every grant that is not exactly right, and every word that is none, changes nothing', async () => {
  verifies('T4.8', 'C.0');
  const stored = async () => {
    const { rows } = await world.admin.query('select id from vault.values order by id');
    return rows;
  };
  const before = await stored();
  const [phone, none, email] = [
    await words('+15125550188'),
    await words('my number'),
    await words('at home'),
  ];
  const stranger = loadSigningKey(generateSigningKeyPem());
  const cases: readonly (readonly [string, string, string])[] = [
    ['another key', grantFor({ phone }, stranger), 'unauthenticated'],
    ['another tenant', grantFor({ phone, tenant: randomUUID() }), 'not_found'],
    ['another audience', grantFor({ phone, aud: spiffeId(ENVIRONMENT, 'identity') }), 'unauthenticated'],
    ['words that are not there', grantFor({ phone: randomUUID() }), 'not_found'],
    ['no number', grantFor({ phone: none }), 'schema_mismatch'],
    ['no address', grantFor({ email }), 'schema_mismatch'],
    ['another kind of grant', world.grant({ contact: alan }), 'unauthenticated'],
  ];
  for (const [name, grant, code] of cases) assert.equal((await adopt(grant)).body.code, code, name);
  for (const service of ['web', 'worker'] as const)
    assert.equal((await adopt(grantFor({ phone }), service)).body.code, 'above_ceiling', service);
  assert.deepEqual(await stored(), before);
});
