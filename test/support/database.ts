import { randomBytes } from 'node:crypto';
import {
  createPool,
  LOGIN_ROLE_NAMES,
  type LoginRole,
  type Pool,
  restrictConnections,
  urlForRole,
} from '@deadlatch/postgres';

/** What `tools/test.ts` hands to test files in DEADLATCH_TEST_CLUSTER, as JSON. */
export interface TestCluster {
  readonly adminUrl: string;
  /** A migrated database that nobody connects to. */
  readonly template: string;
  readonly passwords: Readonly<Record<LoginRole, string>>;
}

export interface TestDatabase {
  readonly name: string;
  readonly adminUrl: string;
  readonly urls: Readonly<Record<LoginRole, string>>;
  /** Closes what is still connected and removes the database. */
  drop(): Promise<void>;
}

/**
 * A migrated, empty database of its own for a test file: a copy of the template (about 50 ms).
 * @throws Error when the tests were not started by `npm test`
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const cluster = testCluster();
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = createPool({
    url: cluster.adminUrl,
    applicationName: 'test support',
    maxConnections: 1,
    statementTimeoutMs: 60_000,
  });
  await admin.query(`create database ${name} template ${cluster.template}`);
  const url = new URL(cluster.adminUrl);
  url.pathname = `/${name}`;
  await restrictConnections(url.href);
  const urls = Object.fromEntries(
    LOGIN_ROLE_NAMES.map((role) => [role, urlForRole(url.href, role, cluster.passwords[role])]),
  ) as Record<LoginRole, string>;
  return {
    name,
    adminUrl: url.href,
    urls,
    drop: async () => {
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** A pool for tests: small, and quiet when `drop` closes its connections. */
export function testPool(url: string, maxConnections = 4): Pool {
  return createPool({ url, applicationName: 'test', maxConnections, statementTimeoutMs: 30_000 });
}

function testCluster(): TestCluster {
  const text = process.env.DEADLATCH_TEST_CLUSTER;
  if (text === undefined || text === '') {
    throw new Error('These tests need a database: run "npm test", or "npm test -- <file>" for one file.');
  }
  return JSON.parse(text) as TestCluster;
}
