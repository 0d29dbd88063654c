import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import type { VerifiedRequest } from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { NO_GRANT, refusalOf } from '../../../../test/support/refusal.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { burnNonce, pruneNonces } from '../nonces.sql.ts';
import type { Pool } from '../pool.ts';
import { withTenant } from '../with-tenant.ts';

/** Nonces of services with a schema of their own are forgotten only below a floor, whatever the clock does. */
let db: TestDatabase;
let admin: Pool;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  admin = testPool(db.adminUrl, 1);
});
after(async () => {
  await admin.end();
  await db.drop();
});

const signed = (agedS = 0) => {
  const created = Math.floor(Date.now() / 1000) - agedS;
  const nonce = randomBytes(16).toString('base64url');
  return { keyId: 'k'.repeat(43), nonce, created, expires: created + 60 } as VerifiedRequest;
};

/** The role sees another `now()`, as if the server's clock had been stepped. */
async function stepped<T>(role: string, by: string, work: () => Promise<T>): Promise<T> {
  const at = `alter role ${role} in database ${db.name}`;
  await admin.query(`
    create schema if not exists stepped;
    create or replace function stepped.now() returns timestamptz language sql stable
      as $$ select pg_catalog.now() + interval '${by}' $$;
    grant usage on schema stepped to ${role};
    ${at} set search_path = stepped, pg_catalog, public`);
  try {
    return await work();
  } finally {
    await admin.query(`${at} reset search_path`);
  }
}

for (const schema of ['identity', 'vault'] as const) {
  describe(schema, () => {
    /** A pool of its own each time: connections keep the settings they began with. */
    const inTx = async <T>(work: Parameters<typeof withTenant<T>>[2]): Promise<T> => {
      const pool = testPool(db.urls[schema], 1);
      try {
        return await withTenant(pool, t.tenantId, work);
      } finally {
        await pool.end();
      }
    };
    const burn = (request: VerifiedRequest) =>
      inTx((tx) => burnNonce(tx, schema, request)).then(
        () => 'ok',
        (error: unknown) => (error instanceof DispatchError ? error.code : String(error)),
      );
    const query = async (text: string) => {
      const pool = testPool(db.urls[schema], 1);
      return refusalOf(pool.query(text)).finally(() => pool.end());
    };

    test('is kept above the floor, and the floor only rises', async () => {
      verifies('T4.3');
      assert.equal(await burn(signed()), 'ok');
      assert.equal(await query(`delete from ${schema}.nonces`), 'nonce_above_floor');
      assert.equal(await query(`update ${schema}.nonces set nonce = 'x'`), NO_GRANT);
      assert.equal(await query(`delete from ${schema}.nonce_floor`), NO_GRANT);
      assert.equal(await query(`insert into ${schema}.nonce_floor (floor) values (now())`), NO_GRANT);
      const raise = (to: string) => `update ${schema}.nonce_floor set floor = ${to}`;
      assert.equal(await query(raise("now() + interval '1 day'")), 'nonce_floor_rises');
      const pool = testPool(db.urls[schema], 1);
      await pool.query(raise('now()'));
      await pool.end();
      assert.equal(await query(raise("'-infinity'")), 'nonce_floor_rises');
      assert.equal(await burn(signed(3)), 'unauthenticated');
      await admin.query(`set session_replication_role = replica; delete from ${schema}.nonce_floor`);
      assert.equal(await burn(signed()), 'unauthenticated', 'no floor, no nonce');
      await admin.query(
        `insert into ${schema}.nonce_floor (floor) values ('-infinity'); set session_replication_role = origin`,
      );
      assert.equal(await burn(signed()), 'ok');
    });

    test('a nonce works once, also after it was forgotten an hour ahead of time', async () => {
      verifies('T4.3', 'C.6');
      const [used, older] = [signed(), signed(2)];
      assert.deepEqual([await burn(used), await burn(used)], ['ok', 'unauthenticated']);
      await stepped(`deadlatch_${schema}`, '1 hour', async () => {
        assert.equal(await burn(used), 'unauthenticated');
        await inTx((tx) => pruneNonces(tx, schema));
      });
      const { rows } = await admin.query(`select count(*)::int as n from ${schema}.nonces`);
      assert.equal(rows[0].n, 0, 'every nonce is forgotten');
      for (const request of [used, older, signed()]) assert.equal(await burn(request), 'unauthenticated');
    });
  });
}
