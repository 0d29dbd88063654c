import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acceptRestore, type RestoreAcceptance, type RestoredBackup } from '@deadlatch/audit-log';
import type { ServiceKeyPair } from '@deadlatch/signing';
import { StartError } from '../arguments.ts';
import type { OperatorKeyEntry } from '../up/keys.ts';
import { writeWhole } from '../up/state-dir.ts';

/** Name that the machine's own operator key has; it acts for whoever can start it and stands for no person. */
const MACHINE = 'cli';

/**
 * Adds one person's acceptance to those of this very backup, which are kept beside the log until they are enough.
 * @returns all acceptances of this backup, each person's once
 * @throws StartError when the key is not that of a person who is pinned now
 */
export async function addAcceptance(
  directory: string,
  backup: RestoredBackup,
  key: ServiceKeyPair,
  operators: readonly OperatorKeyEntry[],
  nowMs: number,
): Promise<RestoreAcceptance[]> {
  const person = operators.find(({ keyid }) => keyid === key.keyId);
  const isPerson =
    person !== undefined &&
    person.name !== MACHINE &&
    Date.parse(person.from) <= nowMs &&
    nowMs < Date.parse(person.until);
  if (!isPerson)
    throw new StartError(
      'That key is not the key of a person who may accept a restore (trust.json, operators).',
    );
  // The root is part of the name: what was said of another log does not count for this one.
  const mark = Buffer.from(backup.root, 'base64').toString('hex').slice(0, 16);
  const folder = join(directory, `${backup.restored_size}-${backup.log_size}-${mark}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(join(folder, person.keyid), acceptRestore(backup, key), 0o600);
  const names = (await readdir(folder)).filter((name) => operators.some(({ keyid }) => keyid === name));
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}
