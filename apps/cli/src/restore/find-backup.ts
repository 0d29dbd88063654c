import { type RestoredBackup, sameBytes } from '@deadlatch/audit-log';
import { StartError } from '../arguments.ts';
import type { Operator } from '../operator.ts';
import type { PublishedLog } from './read-log.ts';

/**
 * Which backup stands in place of the log, or undefined when the database knows all that was published.
 * @throws StartError when the database is not an earlier state of this log
 * @source F.8
 */
export async function findBackup(
  { client, trust }: Pick<Operator, 'client' | 'trust'>,
  log: PublishedLog,
): Promise<RestoredBackup | undefined> {
  const { rows } = await client.query<{ size: string; root: Buffer | null }>(
    'select size, root from audit.log_head',
  );
  const [head] = rows;
  const size = Number(head?.size ?? Number.NaN);
  if (size >= log.head.size) return undefined;
  const isEarlier = size === 0 || (head?.root != null && sameBytes(head.root, log.rootAt(size)));
  if (!isEarlier)
    throw new StartError('The database is not an earlier state of this log, but another one altogether.');
  return {
    environment: trust.environment,
    origin: log.head.origin,
    restored_size: size,
    log_size: log.head.size,
    root: Buffer.from(log.head.root).toString('base64'),
  };
}
