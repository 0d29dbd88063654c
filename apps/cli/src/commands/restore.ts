import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCEPTING_PEOPLE, type RestoredBackup } from '@deadlatch/audit-log';
import { loadSigningKey } from '@deadlatch/signing';
import { type Arguments, EXIT, StartError, UsageError } from '../arguments.ts';
import { asOperator } from '../operator.ts';
import { readOperatorKey } from '../operator-event.ts';
import { addAcceptance, demandAcceptances } from '../restore/acceptances.ts';
import { applyRestore } from '../restore/apply-restore.ts';
import { findBackup } from '../restore/find-backup.ts';
import { asOfflineOperator } from '../restore/offline-operator.ts';
import { openPublishedLog } from '../restore/read-log.ts';
import { stateDirAt, writeWhole } from '../up/state-dir.ts';

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
  const now = Date.now();
  // Where a start was refused because of the backup, nothing runs.
  const isRunning = existsSync(stateDirAt(args.stateDir).runFile);
  const withOperator = isRunning ? asOperator : asOfflineOperator;
  return withOperator(args.stateDir, async (operator) => {
    const { client, trust, tenantId, state } = operator;
    const log = openPublishedLog(state.log, trust);
    const backup = await findBackup(operator, log);
    if (backup === undefined) throw new StartError('The database is not behind the log: nothing to accept.');
    const acceptances = await addAcceptance(state.restore, backup, key, trust.operators, now);
    if (acceptances.length < ACCEPTING_PEOPLE) {
      say(args, { ...backup, accepted: acceptances.length, needed: ACCEPTING_PEOPLE, is_restored: false });
      return EXIT.done;
    }
    const signer = { environment: trust.environment, tenantId, key: await readOperatorKey(state.keys) };
    demandAcceptances(backup, acceptances, trust.operators, signer.key.keyId, now);
    const report = await applyRestore(client, signer, log, backup, acceptances, now);
    // It still waits for events that were promised and never published: those are gone.
    await writeWhole(join(state.witness, 'accepted-restore.json'), JSON.stringify({ backup, acceptances }));
    say(args, { ...backup, ...report, accepted: acceptances.length, is_restored: true });
    return EXIT.done;
  });
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
