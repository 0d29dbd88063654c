import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { createTestDatabase } from '../../../test/support/database.ts';
import { seedTenant } from '../../../test/support/seed.ts';
import { startWorld, type World } from './testing/world.ts';

const MARIA = '+15125550123';
const OLGA = '+15125550144';
const TWICE = '+15125550177';
const [maria, alan, olga] = [randomUUID(), randomUUID(), randomUUID()];
const [twinA, twinB] = [randomUUID(), randomUUID()];
const [account, otherAccount] = [randomUUID(), randomUUID()];
/** Long enough not to turn up in ciphertext by chance. */
const PERSONAL = ['Quillon', '5125550123', 'zebulon@shop.example', 'Riverside', 'Zebulon', 'Quaxley'];

let world: World;

before(async () => {
  const database = await createTestDatabase();
  const { tenantId } = await seedTenant(database.adminUrl);
  world = await startWorld({ database, tenantId });
  await world.enrol({
    contacts: [
      { contact_id: maria, account_id: account, name: 'Maria Quillon', phone: '(512) 555-0123' },
      { contact_id: alan, account_id: account, name: 'Alan Zebulon', email: 'zebulon@shop.example' },
      { contact_id: olga, account_id: otherAccount, name: 'Olga Vantreight', phone: OLGA },
      { contact_id: twinA, account_id: account, name: 'Twin Aaberg', phone: TWICE },
      { contact_id: twinB, account_id: account, name: 'Twin Baaberg', phone: TWICE },
    ],
    account_values: [
      { account_id: account, kind: 'site', value: 'Riverside Corner Store' },
      { account_id: account, kind: 'code', value: '4412' },
    ],
  });
});
after(() => world.close());

async function rows(table: string): Promise<number> {
  const { rows: found } = await world.admin.query<{ n: number }>(`select count(*) as n from vault.${table}`);
  return found[0]?.n ?? 0;
}

test('a message of a contact is recognised, masked and kept', async () => {
  verifies('T5.2');
  const plain = await world.receive(MARIA, "front door won't lock, we close in an hour");
  assert.equal(plain.status, 200);
  assert.deepEqual(
    { ...plain.body, text_id: 'id', sender_hash: 'hash' },
    {
      text_id: 'id',
      contact_id: maria,
      sender_hash: 'hash',
      doubts: [],
      mask_state: 'RELEASED',
      masked_text: "front door won't lock, we close in an hour",
    },
  );
  const named = await world.receive(
    MARIA,
    'Maria and Zebulon are at the Riverside Corner Store, code 4412, call 512 555 0123, the door is stuck',
  );
  assert.equal(
    named.body.masked_text,
    '⟦PERSON_1⟧ and ⟦PERSON_2⟧ are at the ⟦SITE_1⟧, code ⟦CODE_1⟧, call ⟦PHONE_1⟧, the door is stuck',
  );
  // Another message of the case goes on counting, and knows who was numbered already.
  const later = await world.receive(MARIA, 'Zebulon and Xaver wait at the door, then maria comes');
  assert.equal(later.body.masked_text, '⟦PERSON_2⟧ and ⟦UNKNOWN_1⟧ wait at the door, then ⟦PERSON_1⟧ comes');
});

test('values of another account are no secret of this one, and stay unknown words', async () => {
  const answer = await world.receive(MARIA, 'Vantreight is waiting at the front door');
  assert.match(String(answer.body.masked_text), /^⟦UNKNOWN_[0-9]+⟧ is waiting at the front door$/);
});

test('the same carrier id again answers the same, also at once, and keeps one text', async () => {
  verifies('R.2');
  const id = `SM${randomBytes(16).toString('hex')}`;
  const before = await rows('texts');
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => world.receive(MARIA, 'the back door is stuck, says Xaver', id)),
  );
  const again = await world.receive(MARIA, 'the back door is stuck, says Xaver', id);
  for (const answer of [...answers, again]) {
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.body, answers[0]?.body);
  }
  assert.equal(await rows('texts'), before + 1);
});

test('unknown and doubled numbers belong to nobody, and nothing of theirs is released', async () => {
  const stranger = await world.receive('+15125550999', 'the front door is stuck');
  assert.equal(stranger.body.contact_id, null);
  assert.deepEqual(stranger.body.doubts, ['unknown_number']);
  assert.equal(stranger.body.mask_state, 'WITHHELD');
  assert.equal(stranger.body.masked_text, null);
  const again = await world.receive('+15125550999', 'hello');
  assert.equal(again.body.sender_hash, stranger.body.sender_hash);
  const doubled = await world.receive(TWICE, 'the front door is stuck');
  assert.equal(doubled.body.contact_id, null);
  assert.deepEqual(doubled.body.doubts, ['number_on_file_twice']);
  assert.notEqual(doubled.body.sender_hash, stranger.body.sender_hash);
  const noNumber = await world.receive('INFO', 'the front door is stuck');
  assert.deepEqual(noNumber.body.doubts, ['unknown_number']);
});

test('what cannot be masked is withheld and still kept', async () => {
  for (const body of ['', 'Дверь не закрывается', '⟦PERSON_1⟧ is here', 'x'.repeat(20_000), 'a\u0001b']) {
    const before = await rows('texts');
    const answer = await world.receive(MARIA, body);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.contact_id, maria);
    assert.equal(answer.body.mask_state, 'WITHHELD');
    assert.equal(answer.body.masked_text, null);
    assert.equal(await rows('texts'), before + 1);
  }
});

test('a box that is not sealed to us, or holds anything else, is refused', async () => {
  const box = randomBytes(120).toString('base64url');
  const answer = await world.call('gateway', '/v1/inbound', { provider_id: 'SM1', sealed: box });
  assert.equal(answer.status, 400);
  assert.equal(answer.body.code, 'malformed_body');
  const extra = await world.call('gateway', '/v1/inbound', {
    provider_id: 'SM1',
    sealed: box,
    contact_id: maria,
  });
  assert.equal(extra.body.code, 'schema_mismatch');
});

test('words of a person become a handle, the same one for the same key and words', async () => {
  const key = randomUUID();
  const text = { text: 'the tenant was rude to Zebulon' };
  const first = await world.call('web', '/v1/texts', text, { idempotencyKey: key });
  assert.equal(first.status, 200);
  assert.match(String(first.body.text_id), /^[0-9a-f-]{36}$/);
  assert.match(String(first.body.commitment), /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual((await world.call('web', '/v1/texts', text, { idempotencyKey: key })).body, first.body);
  const other = await world.call('web', '/v1/texts', { text: 'other words' }, { idempotencyKey: key });
  assert.equal(other.status, 422);
  assert.equal(other.body.code, 'idempotency_key_reused');
  const byCli = await world.call('cli', '/v1/texts', text, { idempotencyKey: key });
  assert.notEqual(byCli.body.text_id, first.body.text_id);
  for (const wrong of [{ text: '' }, { text: 7 }, {}, { text: 'x', more: 1 }, { text: 'x'.repeat(16_001) }]) {
    assert.equal((await world.call('web', '/v1/texts', wrong)).body.code, 'schema_mismatch');
  }
});

test('the exit gate stops what was masked before and what is on file, and lets the rest pass', async () => {
  await world.receive(MARIA, 'my neighbor Quaxley at 88 Plum Street wants the door fixed');
  const check = async (text: string) =>
    (await world.call('tool-bridge', '/v1/exit-checks', { contact_id: maria, text })).body.clear;
  for (const leak of [
    'ask Quaxley about it',
    'QUAXLEY',
    '88 Plum Street',
    'Maria',
    'call 5 1 2 5 5 5 0 1 2 3',
    '4412',
  ]) {
    assert.equal(await check(`Please note: ${leak} thanks`), false, leak);
  }
  assert.equal(await check('⟦PERSON_1⟧ says the front door is stuck'), true);
  assert.equal(await check('{"incident":"DOOR_CANNOT_SECURE"}'), true);
  const unknown = await world.call('tool-bridge', '/v1/exit-checks', { contact_id: randomUUID(), text: 'x' });
  assert.equal(unknown.status, 404);
});

test('enrolling again changes nothing; a new number takes the place of the old one', async () => {
  const contact = { contact_id: olga, account_id: otherAccount, name: 'Olga Vantreight' };
  assert.equal(await world.enrol({ contacts: [{ ...contact, phone: OLGA }], account_values: [] }), 0);
  assert.equal((await world.receive(OLGA, 'the door is stuck')).body.contact_id, olga);
  const moved = '+15125550155';
  assert.equal(await world.enrol({ contacts: [{ ...contact, phone: moved }], account_values: [] }), 1);
  assert.equal((await world.receive(OLGA, 'the door is stuck')).body.contact_id, null);
  assert.equal((await world.receive(moved, 'the door is stuck')).body.contact_id, olga);
  const revealed = await world.call('gateway', '/v1/reveals', { grant: world.grant({ contact: olga }) });
  assert.deepEqual(revealed.body, { fields: { phone: moved } });
  await assert.rejects(world.enrol({ contacts: [{ ...contact, phone: 'no number' }], account_values: [] }));
  await assert.rejects(world.enrol({ contacts: [{ ...contact, name: 'a\u0000b' }], account_values: [] }));
});

test('an erased person is a stranger from then on, and cannot be revealed', async () => {
  verifies('T5.5');
  const [id, number] = [randomUUID(), '+15125550188'];
  const contact = { contact_id: id, account_id: otherAccount, name: 'Erna Zorn', phone: number };
  await world.enrol({ contacts: [contact], account_values: [] });
  assert.equal((await world.receive(number, 'the door is stuck')).body.contact_id, id);
  const events = (await world.events()).length;
  await world.admin.query('update vault.subjects set wrapped_key = null, erased_at = now() where id = $1', [
    id,
  ]);
  const answer = await world.receive(number, 'the door is stuck');
  assert.equal(answer.body.contact_id, null);
  const reveal = await world.call('gateway', '/v1/reveals', { grant: world.grant({ contact: id }) });
  assert.equal(reveal.status, 404);
  await assert.rejects(world.enrol({ contacts: [contact], account_values: [] }));
  assert.ok((await world.events()).length > events);
});

test('rows that are swapped or altered in the database are refused, not believed', async () => {
  const [a, b] = [randomUUID(), randomUUID()];
  await world.enrol({
    contacts: [
      { contact_id: a, account_id: otherAccount, name: 'Swap Xone', phone: '+15125550161' },
      { contact_id: b, account_id: otherAccount, name: 'Swap Xtwo', phone: '+15125550162' },
    ],
    account_values: [],
  });
  await world.admin.query(
    `update vault.values v set ciphertext = other.ciphertext from vault.values other
      where v.subject_id = $1 and v.kind = 'phone' and other.subject_id = $2 and other.kind = 'phone'`,
    [a, b],
  );
  const swapped = await world.call('gateway', '/v1/reveals', { grant: world.grant({ contact: a }) });
  assert.equal(swapped.status, 503);
  assert.equal(swapped.body.fields, undefined);
  // With a value that cannot be read there is no whole dictionary, so messages of that account wait.
  assert.equal((await world.receive('+15125550162', 'the door is stuck')).status, 503);
  await world.admin.query('delete from vault.values where subject_id = any($1)', [[a, b]]);
});

test('nothing personal stands in the clear in any table, event or log line', async () => {
  verifies('T5.1', 'T5.4');
  const tables = [
    'subjects',
    'values',
    'texts',
    'text_placeholders',
    'inbound',
    'account_values',
    'used_grants',
  ];
  const sinks: string[] = [world.log.join('\n'), JSON.stringify(await world.events())];
  for (const table of tables) {
    const { rows: found } = await world.admin.query(`select t.*::text as line from vault.${table} t`);
    sinks.push(JSON.stringify(found));
  }
  for (const sink of sinks) {
    for (const value of PERSONAL) assert.equal(sink.includes(value), false, value);
  }
});

test('without a trust bundle or a database every call is refused with 503', async () => {
  verifies('C.6');
  world.trust.broken = true;
  const noTrust = await world.call('gateway', '/v1/reveals', { grant: world.grant({ contact: maria }) });
  world.trust.broken = false;
  assert.equal(noTrust.status, 503);
  const { rows: names } = await world.admin.query<{ name: string }>('select current_database() as name');
  const database = names[0]?.name ?? '';
  await world.admin.query(`revoke connect on database ${database} from deadlatch_vault`);
  try {
    await world.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'deadlatch_vault' and datname = current_database()`,
    );
    const answers = [
      await world.receive(MARIA, 'the door is stuck'),
      await world.call('web', '/v1/texts', { text: 'x' }),
      await world.call('gateway', '/v1/reveals', { grant: world.grant({ contact: maria }) }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 503);
      assert.equal(answer.body.code, 'unavailable');
    }
  } finally {
    await world.admin.query(`grant connect on database ${database} to deadlatch_vault`);
  }
  assert.equal((await world.receive(MARIA, 'the door is stuck')).status, 200);
});
