import { type ServiceName, UUID_PATTERN } from '@deadlatch/catalogue';
import { validator } from '@deadlatch/http';
import { refuse } from '@deadlatch/kernel';
import { type Pool, type SignedRequest, withTenant } from '@deadlatch/postgres';
import Type, { type Static } from 'typebox';
import type { ReadKnownValues } from '../contacts/read-known-values.ts';
import type { KeyedDigests } from '../crypto/keyed-digests.ts';
import { compileDictionary } from '../masking/dictionary.ts';
import { MAX_BYTES } from '../masking/normalise.ts';
import type { Vocabulary } from '../masking/vocabulary.ts';
import type { Settle, Settled } from '../settle.ts';
import { readPlaceholders } from '../texts/texts.sql.ts';
import { isClear } from './match-text.ts';

const CALLERS: readonly ServiceName[] = ['tool-bridge'];

const body = Type.Object(
  {
    contact_id: Type.String({ pattern: UUID_PATTERN }),
    text: Type.String({ maxLength: MAX_BYTES }),
  },
  { additionalProperties: false },
);

/**
 * POST /v1/exit-checks: may this text leave towards a model, a tool or a log of this contact's case?
 * @throws DispatchError `above_ceiling`, `schema_mismatch`; `not_found` when nothing is known of the contact
 */
export function createExitGate(options: {
  readonly settle: Settle;
  readonly pool: Pool;
  readonly tenantId: string;
  readonly digests: KeyedDigests;
  readonly readKnownValues: ReadKnownValues;
  readonly vocabulary: Vocabulary;
}): (request: SignedRequest) => Promise<{ readonly clear: boolean }> {
  const { settle, pool, tenantId, digests, vocabulary } = options;
  const read = validator<Static<typeof body>>(body);

  const prepare = async (request: SignedRequest) => {
    const { contact_id: contactId, text } = read(request.body);
    const knownValues = await options.readKnownValues(contactId);
    if (knownValues === null) return refuse('not_found', { detail: 'no_dictionary' });
    const masked = await withTenant(pool, tenantId, (tx) => readPlaceholders(tx, tenantId, contactId));
    const clear = isClear({
      text,
      dictionary: compileDictionary(knownValues),
      vocabulary,
      maskedDigests: new Set(masked.map((row) => row.blind_index)),
      digest: (value) => digests.placeholderIndex(tenantId, contactId, value),
    });
    const settled: Settled<{ clear: boolean }> = {
      answer: { clear },
      event: clear ? null : { resource: { kind: 'contact', id: contactId }, details: { clear } },
    };
    return async () => settled;
  };

  return (request) =>
    settle(request, { act: 'exit.check', callers: CALLERS, prepare: () => prepare(request) });
}
