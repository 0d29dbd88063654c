import type { ServiceName } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { derivedUuid, refuse } from '@deadlatch/kernel';
import type { SignedRequest, Tx } from '@deadlatch/postgres';
import Type, { type Static } from 'typebox';
import { textPlace } from '../contacts/places.ts';
import { encryptValue } from '../crypto/envelope.ts';
import type { KeyWrapper } from '../crypto/key-wrapper.ts';
import type { KeyedDigests } from '../crypto/keyed-digests.ts';
import type { Settle, Settled } from '../settle.ts';
import { insertText, readCommitment } from './texts.sql.ts';

const CALLERS: readonly ServiceName[] = ['web', 'cli'];
const MAX_CHARS = 16_000;

const body = Type.Object(
  { text: Type.String({ minLength: 1, maxLength: MAX_CHARS }) },
  { additionalProperties: false },
);

/** The handle of a text, and what commands and audit hold of its words. */
export interface TextHandle {
  readonly text_id: string;
  readonly commitment: string;
}

/**
 * POST /v1/texts: words of a signed-in person in, a handle out. Nothing ever comes back out this way.
 * The id comes from the idempotency key, so a request made again answers the same handle.
 * @throws DispatchError `above_ceiling`, `schema_mismatch`, `idempotency_key_reused`
 */
export function createTextSealer(options: {
  readonly settle: Settle;
  readonly tenantId: string;
  readonly keyWrapper: KeyWrapper;
  readonly digests: KeyedDigests;
  readonly random: (n: number) => Uint8Array;
}): (request: SignedRequest) => Promise<TextHandle> {
  const { settle, tenantId, keyWrapper, digests, random } = options;
  const read = validator<Static<typeof body>>(body);

  const prepare = async (request: SignedRequest) => {
    const { text } = read(request.body);
    const { service, idempotencyKey } = request.verified;
    const textId = derivedUuid(JSON.stringify(['text', tenantId, service, idempotencyKey]));
    const commitment = digests.commitment(tenantId, textId, text);
    const dataKey = random(32);
    const row = {
      id: textId,
      subjectId: null,
      wrappedKey: keyWrapper.wrap(dataKey),
      ciphertext: encryptValue(
        JSON.stringify({ body: text }),
        dataKey,
        textPlace(tenantId, textId, textId, 1),
        random,
      ),
      commitment,
    };
    const answer = { text_id: textId, commitment };
    return async (tx: Tx): Promise<Settled<TextHandle>> => {
      const isNew = await insertText(tx, tenantId, row);
      if (!isNew && (await readCommitment(tx, tenantId, textId)) !== commitment) {
        refuse('idempotency_key_reused');
      }
      const resource = { kind: 'text', id: textId };
      return { answer, event: isNew ? { resource, details: { commitment } } : null };
    };
  };

  return (request) =>
    settle(request, { act: 'text.seal', callers: CALLERS, prepare: () => prepare(request) });
}
