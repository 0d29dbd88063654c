import { createHash } from 'node:crypto';
import { type CommandEntry, type FreeTextRef, sealFreeText } from '@deadlatch/catalogue';
import { derivedUuid, refuse } from '@deadlatch/kernel';
import type { Vault } from '../peers.ts';
import { MAX_TEXT_LENGTH } from './offer-commands.ts';

/** Puts the words of one command into the vault and answers the input that may travel on. */
export type SealTexts = (entry: CommandEntry, input: object, scope: SealScope) => Promise<object>;

export interface SealScope {
  readonly session: string;
  /** The command's own key: trying again seals nothing anew. */
  readonly idempotencyKey: string;
}

const MAX_TEXTS = 10;
const CAPACITY = 2_000;

/**
 * The same command sent again must have the same bytes, or dispatch-api rightly calls it another one. So the
 * handle of a text is remembered under (session, command's key, text), as a hash, and the vault is given a key
 * derived from the same three.
 * @throws DispatchError `schema_mismatch` for an empty text, one over 4,000 characters, or more than 10 of them
 * @invariant words leave this function only towards the vault
 * @source T5.2
 */
export function createSealTexts(vault: Vault): SealTexts {
  const known = new Map<string, FreeTextRef>();
  return async (entry, input, scope) => {
    let count = 0;
    const sealed = await sealFreeText(entry.input, input, async (words) => {
      count += 1;
      if (count > MAX_TEXTS || words.trim() === '' || words.length > MAX_TEXT_LENGTH) {
        refuse('schema_mismatch', { detail: 'free text out of bounds' });
      }
      const name = createHash('sha256')
        .update(JSON.stringify([scope.session, scope.idempotencyKey, words]))
        .digest('base64url');
      const before = known.get(name);
      if (before) return before;
      const found = await vault.seal(words, derivedUuid(`seal|${name}`));
      const oldest = known.size >= CAPACITY ? known.keys().next().value : undefined;
      if (oldest !== undefined) known.delete(oldest);
      known.set(name, found);
      return found;
    });
    return sealed as object;
  };
}
