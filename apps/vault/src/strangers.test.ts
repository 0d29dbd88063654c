import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { RATES } from '@deadlatch/http';
import { verifies } from '../../../test/requirements.ts';
import { createTestDatabase } from '../../../test/support/database.ts';
import { seedTenant } from '../../../test/support/seed.ts';
import { startWorld, type World } from './testing/world.ts';

/** A flood of people whom nobody knows: what is kept of it is bounded, and nobody on file notices. */
const MARIA = '+15125550123';
const [maria, account] = [randomUUID(), randomUUID()];
let world: World;

before(async () => {
  const database = await createTestDatabase();
  const { tenantId } = await seedTenant(database.adminUrl);
  world = await startWorld({ database, tenantId });
  await world.enrol({
    contacts: [{ contact_id: maria, account_id: account, name: 'Maria Quillon', phone: MARIA }],
    account_values: [],
  });
});
after(() => world.close());

const kept = async () => {
  const { rows } = await world.admin.query<{ n: number }>(
    `select (select count(*) from vault.texts) + (select count(*) from vault.inbound)
          + (select count(*) from vault.text_placeholders) as n`,
  );
  return rows[0]?.n ?? 0;
};
const stranger = (n: number) => `+1512556${String(n).padStart(4, '0')}`;

test('one who writes without end is kept up to the rate of one', async () => {
  verifies('R.6', 'T1.8');
  const sids = Array.from(
    { length: RATES.strangerTexts.burst + 5 },
    () => `SM${randomBytes(16).toString('hex')}`,
  );
  const statuses: number[] = [];
  for (const sid of sids) statuses.push((await world.receive(stranger(0), 'hello', sid)).status);
  assert.deepEqual(statuses.slice(0, RATES.strangerTexts.burst), Array(RATES.strangerTexts.burst).fill(200));
  assert.deepEqual(statuses.slice(RATES.strangerTexts.burst), Array(5).fill(429));
  // What was kept is answered again, whoever else wrote since.
  assert.equal((await world.receive(stranger(0), 'hello', sids[0])).status, 200);
  assert.equal((await world.receive(stranger(1), 'hello')).status, 200);
});

test('many who write once are kept up to the rate of all, and everybody on file as ever', async () => {
  verifies('R.6', 'T1.8', 'F.6');
  const [before, events] = [await kept(), (await world.events()).length];
  const count = RATES.allStrangersTexts.burst + 200;
  const answers = { strangers: 0, refused: 0, maria: 0 };
  for (let n = 1; n <= count; n += 1) {
    const { status, body } = await world.receive(stranger(n), 'is anybody there?');
    if (status === 200) answers.strangers += 1;
    else {
      assert.deepEqual([status, body.code, body.rate_of], [429, 'rate_limited', 'unknown_sender']);
      answers.refused += 1;
      if (n % 20 !== 0) continue;
      const known = await world.receive(MARIA, 'the front door is stuck');
      assert.deepEqual([known.status, known.body.contact_id], [200, maria]);
      answers.maria += 1;
    }
  }
  assert.ok(answers.maria >= 5);
  const most = RATES.allStrangersTexts.burst + 60;
  assert.ok(answers.strangers <= most, `${answers.strangers} kept`);
  // A text, an answer to its carrier and no placeholder each.
  assert.ok((await kept()) - before <= 2 * (answers.strangers + answers.maria));
  await world.stop();
  const after = (await world.events()).slice(events);
  const refusals = after.filter(({ decision }) => decision === 'refused').map(({ body }) => JSON.parse(body));
  assert.ok(refusals.length <= 61, `${refusals.length} events of refusals`);
  const counted = refusals.find(({ command }) => command === 'refusals.counted');
  assert.equal(counted.code, 'rate_limited');
  assert.equal(refusals.length - 1 + counted.details.count, answers.refused, 'each is written or counted');
});
