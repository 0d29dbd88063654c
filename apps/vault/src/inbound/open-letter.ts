import type { KeyObject } from 'node:crypto';
import { validator } from '@deadlatch/http';
import { parseStrictJson, refuse } from '@deadlatch/kernel';
import { fromBase64url, openSealed } from '@deadlatch/signing';
import Type, { type Static } from 'typebox';

const letter = Type.Object(
  {
    from: Type.String({ minLength: 1, maxLength: 320 }),
    to: Type.String({ minLength: 1, maxLength: 320 }),
    body: Type.String({ maxLength: 100_000 }),
    received_at: Type.String({ maxLength: 40 }),
  },
  { additionalProperties: false },
);

/** A message as the carrier handed it over. Personal data. */
export type Letter = Static<typeof letter>;

/**
 * Makes an opener for what the gateway sealed.
 * @throws DispatchError `malformed_body` or `schema_mismatch` for anything else
 */
export function createLetterOpener(inboxKey: KeyObject): (sealed: string) => Letter {
  const read = validator<Letter>(letter);
  return (sealed) => {
    const box = fromBase64url(sealed);
    if (box === undefined) return refuse('malformed_body', { detail: 'sealed_box' });
    return read(parseStrictJson(openSealed(inboxKey, box)));
  };
}
