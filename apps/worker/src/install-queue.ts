import { runMigrations } from 'graphile-worker';
import pg from 'pg';

const SCHEMA = 'jobs';
const ROLE = 'deadlatch_worker';

/**
 * Installs or updates the queue's own tables, as the worker's role that will own them.
 *
 * The library insists on "create schema if not exists", for which PostgreSQL asks the right to create schemas even
 * where the schema exists. The operator lends that right for this moment, so the running worker never has it.
 */
export async function installQueue(adminUrl: string, workerUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl, application_name: 'deadlatch migrate' });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string }>('select current_database() as name');
    const database = admin.escapeIdentifier(rows[0]?.name ?? '');
    await admin.query(`grant create on database ${database} to ${ROLE}`);
    try {
      await runMigrations({ connectionString: workerUrl, schema: SCHEMA });
    } finally {
      await admin.query(`revoke create on database ${database} from ${ROLE}`);
    }
  } finally {
    await admin.end();
  }
}
