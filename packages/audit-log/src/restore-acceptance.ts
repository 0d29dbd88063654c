import { sign, verify } from 'node:crypto';
import { canonicalJson, type NamedPublicKey, type ServiceKeyPair } from '@deadlatch/signing';

/** Which backup stands in place of which log: what people accept, and nothing else. */
export interface RestoredBackup {
  readonly environment: string;
  readonly origin: string;
  /** entries that the restored database knows */
  readonly restored_size: number;
  /** entries of the log, which went on */
  readonly log_size: number;
  /** of the log, base64 */
  readonly root: string;
}

/** One person's yes, as it stands in the event: `<thumbprint> <signature in base64>`. */
export type RestoreAcceptance = string;

/** How many different people must have accepted. @source design 03 */
export const ACCEPTING_PEOPLE = 2;
const ACCEPTANCE = /^([A-Za-z0-9_-]{43}) ([A-Za-z0-9+/]{86}==)$/;

/** Signs that this backup may stand. @param key of a person, never that of the machine */
export function acceptRestore(backup: RestoredBackup, key: ServiceKeyPair): RestoreAcceptance {
  return `${key.keyId} ${sign(null, statement(backup), key.privateKey).toString('base64')}`;
}

/**
 * Why these do not accept the backup, or undefined when they do.
 * @param findOperator pinned operators by thumbprint, within their time
 * @param performedBy thumbprint of the key that signs the event: whoever performs it does not count as a person
 * @invariant two signatures of one key are one person
 */
export function checkAcceptances(
  backup: RestoredBackup,
  acceptances: readonly RestoreAcceptance[],
  findOperator: (keyId: string) => Pick<NamedPublicKey, 'publicKey'> | undefined,
  performedBy: string,
): string | undefined {
  const people = new Set<string>();
  for (const acceptance of acceptances) {
    const [, keyId = '', signature = ''] = ACCEPTANCE.exec(acceptance) ?? [];
    const key = keyId === performedBy ? undefined : findOperator(keyId);
    if (key === undefined) return 'a restore accepted by somebody who is not a pinned operator';
    if (!verify(null, statement(backup), key.publicKey, Buffer.from(signature, 'base64')))
      return 'a restore whose acceptance does not verify';
    people.add(keyId);
  }
  return people.size >= ACCEPTING_PEOPLE ? undefined : 'a restore that fewer than two people accepted';
}

/** Copied member by member: what is signed is what is listed here. */
function statement({ environment, origin, restored_size, log_size, root }: RestoredBackup): Buffer {
  const listed = { environment, origin, restored_size, log_size, root };
  return Buffer.from(canonicalJson({ statement: 'deadlatch-restore', ...listed }));
}
