import { formatNoteKey, logOrigin, noteKey } from '@deadlatch/audit-log';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';

/** The members of a trust bundle about the Merkle log, with fresh keys, for services that hold no log key themselves. */
export function makeLogTrust(environment: string) {
  return makeLogKeys(environment).trust;
}

/** Fresh keys of a log and of its one witness, and what everybody pins of them. */
export function makeLogKeys(environment: string) {
  const origin = logOrigin(environment);
  const [logPem, witnessPem] = [generateSigningKeyPem(), generateSigningKeyPem()];
  const [log, witness] = [loadSigningKey(logPem), loadSigningKey(witnessPem)];
  return {
    log,
    witness,
    logPem,
    witnessPem,
    trust: {
      log: { origin, key: formatNoteKey(noteKey('log', origin, log.publicKey)) },
      witnesses: {
        quorum: 1,
        keys: [formatNoteKey(noteKey('witness', `${environment}.deadlatch/witness`, witness.publicKey))],
      },
    },
  };
}
