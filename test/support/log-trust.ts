import { formatNoteKey, logOrigin, noteKey } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';

/** The members of a trust bundle about the Merkle log, with fresh keys, for services that hold no log key themselves. */
export function makeLogTrust(environment: string) {
  const newKey = () => loadSigningKey(generateSigningKeyPem()).publicKey;
  const origin = logOrigin(environment);
  return {
    log: { origin, key: formatNoteKey(noteKey('log', origin, newKey())) },
    witnesses: {
      quorum: 1,
      keys: [formatNoteKey(noteKey('witness', `${environment}.deadlatch/witness`, newKey()))],
    },
  };
}
