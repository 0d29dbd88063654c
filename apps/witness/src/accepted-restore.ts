import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAcceptances, type RestoreAcceptance, type RestoredBackup } from '@deadlatch/audit-log';
import { type OperatorKey, validator } from '@deadlatch/http';
import { type Clock, parseStrictJson } from '@deadlatch/kernel';
import { actionDigest, canonicalJson } from '@deadlatch/signing';
import Type from 'typebox';
import { readIfThere } from './durable-file.ts';
import type { Ledger } from './ledger.ts';
import type { WitnessLogger } from './log-events.ts';
import type { Head } from './stored-head.ts';

/** What `restore accept` leaves for the witness. */
const FILE = 'accepted-restore.json';
/** The machine's own operator key; it stands for no person. */
const MACHINE = 'cli';

const Size = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Text = Type.String({ maxLength: 200 });
const AcceptedRestore = Type.Object(
  {
    backup: Type.Object(
      { environment: Text, origin: Text, restored_size: Size, log_size: Size, root: Text },
      { additionalProperties: false },
    ),
    acceptances: Type.Array(Text, { maxItems: 64 }),
  },
  { additionalProperties: false },
);
const readRestore = validator<{
  readonly backup: RestoredBackup;
  readonly acceptances: readonly RestoreAcceptance[];
}>(AcceptedRestore);

export interface RestoreParts {
  readonly directory: string;
  readonly environment: string;
  readonly origin: string;
  readonly operators: () => readonly OperatorKey[];
  readonly head: () => Head;
  readonly ledger: Pick<Ledger, 'takeRestore'>;
  readonly now: Clock;
  readonly logger: WitnessLogger;
}

/**
 * Takes over an accepted restore that was laid into the witness's folder: from then on, what was promised before may be
 * gone, and the tree that the witness knows is the one that people stand by.
 * @returns does so when there is one; never throws
 * @invariant two people's signatures over exactly this log are needed, and each restore counts once
 * @source F.8, design 03
 */
export function createRestoreTaker(parts: RestoreParts): () => Promise<void> {
  const { directory, ledger, logger } = parts;
  const path = join(directory, FILE);
  return async () => {
    try {
      const bytes = await readIfThere(path);
      if (bytes === undefined) return;
      const { backup, acceptances } = readRestore(parseStrictJson(bytes));
      const reason = whyNot(backup, acceptances, parts);
      if (reason === null) {
        const isNew = await ledger.takeRestore(actionDigest(canonicalJson(backup)));
        if (isNew) logger.event('restore.taken', { size: backup.log_size });
      } else {
        logger.event('restore.refused', { reason });
      }
    } catch {
      logger.event('restore.refused', { reason: 'unreadable' });
    }
    // Looked at once; whoever laid it there has it still.
    await unlink(path).catch(() => undefined);
  };
}

function whyNot(
  backup: RestoredBackup,
  acceptances: readonly RestoreAcceptance[],
  parts: RestoreParts,
): string | null {
  const { known } = parts.head();
  if (backup.environment !== parts.environment || backup.origin !== parts.origin) return 'other_log';
  const size = known?.size ?? -1;
  const root = Buffer.from(known?.root ?? []).toString('base64');
  // The log may have gone on since.
  const isOurs = backup.log_size < size || (backup.log_size === size && backup.root === root);
  if (!isOurs) return 'other_tree';
  const nowMs = parts.now();
  const operators = parts
    .operators()
    .filter(
      ({ notBefore, notAfter, revokedAt }) => notBefore <= nowMs && nowMs < notAfter && revokedAt === null,
    );
  const machine = operators.find(({ name }) => name === MACHINE);
  const find = (keyId: string) => operators.find((operator) => operator.keyId === keyId);
  return checkAcceptances(backup, acceptances, find, machine?.keyId ?? '') === undefined
    ? null
    : 'not_accepted';
}
