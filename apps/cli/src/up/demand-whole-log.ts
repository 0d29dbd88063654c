import pg from 'pg';
import { StartError } from '../arguments.ts';
import { findBackup } from '../restore/find-backup.ts';
import { hasPublishedLog, openPublishedLog } from '../restore/read-log.ts';
import type { Trust } from './keys.ts';
import type { StateDir } from './state-dir.ts';

/**
 * Lets nothing start on a database that is behind its own log: it is a restored backup, and what it says of sessions,
 * approvals and keys was true once. The services would refuse everything; this says why, and what to do.
 * @throws StartError
 * @source F.8
 */
export async function demandWholeLog(adminUrl: string, state: StateDir, trust: Trust): Promise<void> {
  if (!hasPublishedLog(state.log)) return;
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const backup = await findBackup({ client, trust }, openPublishedLog(state.log, trust));
    if (backup === undefined) return;
    throw new StartError(
      `The database is a restored backup: it knows ${backup.restored_size} of the log's ${backup.log_size} events. ` +
        'Two people must run "deadlatch restore accept --key FILE" with their own keys, then start again.',
    );
  } finally {
    await client.end();
  }
}
