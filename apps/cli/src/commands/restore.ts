import { readFile } from 'node:fs/promises';
import { ACCEPTING_PEOPLE, type RestoredBackup, sameBytes } from '@deadlatch/audit-log';
import { loadSigningKey } from '@deadlatch/signing';
import { type Arguments, EXIT, StartError, UsageError } from '../arguments.ts';
import { asOperator, type Operator } from '../operator.ts';
import { readOperatorKey } from '../operator-event.ts';
import { addAcceptance } from '../restore/acceptances.ts';
import { applyRestore } from '../restore/apply-restore.ts';
import { openPublishedLog, type PublishedLog } from '../restore/read-log.ts';
import { stateDirAt } from '../up/state-dir.ts';

/**
 * `deadlatch restore accept --key FILE`: one person accepts that the database stands at an earlier state of the log.
 * The second person's acceptance performs it.
 * @returns 0 when the person's word was taken
 * @throws StartError when there is nothing to accept, or the key is no person's
 * @source F.8
 */
export async function restoreAccept(args: Arguments): Promise<number> {
  if (args.words[0] !== 'accept' || args.key === undefined)
    throw new UsageError('restore accept takes --key FILE, the key of the person who accepts');
  const key = loadSigningKey(
    await readFile(args.key, 'utf8').catch(() => {
      throw new StartError(`There is no readable key at ${args.key}.`);
    }),
  );
  const state = stateDirAt(args.stateDir);
  const now = Date.now();
  return asOperator(args.stateDir, async (operator) => {
    const { client, trust, tenantId } = operator;
    const log = openPublishedLog(state.log, trust);
    const backup = await findBackup(operator, log);
    const acceptances = await addAcceptance(state.restore, backup, key, trust.operators, now);
    if (acceptances.length < ACCEPTING_PEOPLE) {
      say(args, { ...backup, accepted: acceptances.length, needed: ACCEPTING_PEOPLE, is_restored: false });
      return EXIT.done;
    }
    const signer = { environment: trust.environment, tenantId, key: await readOperatorKey(state.keys) };
    const report = await applyRestore(client, signer, log, backup, acceptances, now);
    say(args, { ...backup, ...report, accepted: acceptances.length, is_restored: true });
    return EXIT.done;
  });
}

/** @throws StartError when the database is not an earlier state of this log */
async function findBackup({ client, trust }: Operator, log: PublishedLog): Promise<RestoredBackup> {
  const { rows } = await client.query<{ size: string; root: Buffer | null }>(
    'select size, root from audit.log_head',
  );
  const [head] = rows;
  const size = Number(head?.size ?? Number.NaN);
  if (!(size < log.head.size)) throw new StartError('The database is not behind the log: nothing to accept.');
  if (size > 0 && !(head?.root && sameBytes(head.root, log.rootAt(size))))
    throw new StartError('The database is not an earlier state of this log, but another one altogether.');
  return {
    environment: trust.environment,
    origin: log.head.origin,
    restored_size: size,
    log_size: log.head.size,
    root: Buffer.from(log.head.root).toString('base64'),
  };
}

type Said = RestoredBackup & {
  readonly accepted: number;
  readonly is_restored: boolean;
  readonly lost?: number;
  readonly voided?: number;
  readonly revoked?: number;
};

function say(args: Arguments, said: Said & Readonly<Record<string, unknown>>): void {
  if (args.json) {
    process.stdout.write(`${JSON.stringify(said)}\n`);
    return;
  }
  const behind = `The database knows ${said.restored_size} of the log's ${said.log_size} events.`;
  const next = said.is_restored
    ? `Two people accepted: ${said.lost} lost events are back in the trail, ${said.voided} approvals are void, ` +
      `${said.revoked} keys stay revoked; everybody signs in again, and agents wait until they are resumed.`
    : `One person accepted. Another one must run the same command with their own key.`;
  process.stdout.write(`${behind}\n${next}\n`);
}
