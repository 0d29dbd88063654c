import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  acceptRestore,
  checkAcceptances,
  type RestoreAcceptance,
  type RestoredBackup,
} from '@deadlatch/audit-log';
import { publicKeyFromX, type ServiceKeyPair } from '@deadlatch/signing';
import { StartError } from '../arguments.ts';
import type { OperatorKeyEntry } from '../up/keys.ts';
import { writeWhole } from '../up/state-dir.ts';

/** Name that the machine's own operator key has; it acts for whoever can start it and stands for no person. */
const MACHINE = 'cli';

/**
 * Adds one person's acceptance to those of this very backup, which are kept beside the log until they are enough.
 * @returns all that lies there for this backup, unproven: `demandAcceptances` proves it
 * @throws StartError when the key is not that of a person who may accept now
 */
export async function addAcceptance(
  directory: string,
  backup: RestoredBackup,
  key: ServiceKeyPair,
  operators: readonly OperatorKeyEntry[],
  nowMs: number,
): Promise<RestoreAcceptance[]> {
  if (findPerson(operators, nowMs)(key.keyId) === undefined)
    throw new StartError(
      'That key is not the key of a person who may accept a restore (trust.json, operators).',
    );
  // The root is part of the name: what was said of another log does not count for this one.
  const mark = Buffer.from(backup.root, 'base64').toString('hex').slice(0, 16);
  const folder = join(directory, `${backup.restored_size}-${backup.log_size}-${mark}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(join(folder, key.keyId), acceptRestore(backup, key), 0o600);
  const names = (await readdir(folder)).filter((name) => operators.some(({ keyid }) => keyid === name));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

/**
 * Proves that enough people accepted this backup: whoever can write a file into the folder has not signed it.
 * @param performedBy thumbprint of the key that the restore's events are signed with
 * @throws StartError
 */
export function demandAcceptances(
  backup: RestoredBackup,
  acceptances: readonly RestoreAcceptance[],
  operators: readonly OperatorKeyEntry[],
  performedBy: string,
  nowMs: number,
): void {
  const reason = checkAcceptances(backup, acceptances, findPerson(operators, nowMs), performedBy);
  if (reason !== undefined) throw new StartError(`Nothing was restored: ${reason}.`);
}

function findPerson(operators: readonly OperatorKeyEntry[], nowMs: number) {
  return (keyId: string) => {
    const entry = operators.find(({ keyid }) => keyid === keyId);
    const mayAccept =
      entry !== undefined &&
      entry.name !== MACHINE &&
      entry.revoked_at === undefined &&
      Date.parse(entry.from) <= nowMs &&
      nowMs < Date.parse(entry.until);
    return mayAccept ? { publicKey: publicKeyFromX(entry.x) } : undefined;
  };
}
