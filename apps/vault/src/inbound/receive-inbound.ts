import type { ServiceName } from '@deadlatch/catalogue';
import { toE164 } from '@deadlatch/contact-details';
import { type RateLimit, validator } from '@deadlatch/http';
import { refuse } from '@deadlatch/kernel';
import { type Pool, type SignedRequest, type Tx, withTenant } from '@deadlatch/postgres';
import type { Logger } from '@deadlatch/telemetry';
import Type, { type Static } from 'typebox';
import { findOwners, readSubjectKey } from '../contacts/contacts.sql.ts';
import { placeholderPlace, textPlace } from '../contacts/places.ts';
import type { ReadKnownValues } from '../contacts/read-known-values.ts';
import { encryptValue, type Place } from '../crypto/envelope.ts';
import type { KeyWrapper } from '../crypto/key-wrapper.ts';
import type { KeyedDigests } from '../crypto/keyed-digests.ts';
import type { Analysis, MaskedValue, MaskResult } from '../masking/mask.ts';
import { comparable } from '../masking/mask.ts';
import type { MaskRunner } from '../masking/mask-runner.ts';
import type { Settle, Settled } from '../settle.ts';
import { insertPlaceholders, insertText, readPlaceholders } from '../texts/texts.sql.ts';
import { type InboundAnswer, insertInbound, readInbound } from './inbound.sql.ts';
import { digestValues, renderInCase } from './number-placeholders.ts';
import type { Letter } from './open-letter.ts';

const CALLERS: readonly ServiceName[] = ['gateway'];

const body = Type.Object(
  {
    provider_id: Type.String({ pattern: '^[A-Za-z0-9_.@<>+=-]+$', minLength: 1, maxLength: 200 }),
    sealed: Type.String({ pattern: '^[A-Za-z0-9_-]+$', minLength: 64, maxLength: 200_000 }),
  },
  { additionalProperties: false },
);

export interface InboundOptions {
  readonly settle: Settle;
  readonly pool: Pool;
  readonly tenantId: string;
  readonly keyWrapper: KeyWrapper;
  readonly digests: KeyedDigests;
  readonly openLetter: (sealed: string) => Letter;
  readonly readKnownValues: ReadKnownValues;
  readonly masking: MaskRunner;
  readonly strangers: StrangerRates;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly random: (n: number) => Uint8Array;
}

/** How much is kept of people whom nobody knows: of each, and of all together. */
export interface StrangerRates {
  readonly each: Pick<RateLimit, 'spend'>;
  readonly all: Pick<RateLimit, 'spend'>;
}

/** Who wrote, as far as the number tells. */
interface Sender {
  readonly contactId: string | null;
  readonly senderHash: string;
  readonly doubts: InboundAnswer['doubts'];
}

/** Everything that is worked out before the transaction; holds personal data. */
interface Sealed {
  readonly textId: string;
  readonly letter: Letter;
  readonly sender: Sender;
  readonly analysis: Analysis;
  /** `comparable` -> digest of every masked value. */
  readonly valueDigests: ReadonlyMap<string, string>;
  readonly commitment: string;
}

/**
 * POST /v1/inbound: opens what the gateway sealed, finds who owns the number, masks the words, keeps the original.
 * Idempotent per carrier id, also for two requests at once: one answer is stored, both get it.
 * @throws DispatchError `above_ceiling`, `schema_mismatch`, `malformed_body`, `rate_limited` for too many strangers
 * @invariant the answer holds no character of the message that the masking did not release
 * @source T5.2, R.2
 */
export function createInboundReceiver(
  options: InboundOptions,
): (request: SignedRequest) => Promise<InboundAnswer> {
  const { settle, pool, tenantId, logger } = options;
  const read = validator<Static<typeof body>>(body);

  const prepare = async (request: SignedRequest) => {
    const input = read(request.body);
    const letter = options.openLetter(input.sealed);
    // One transaction for both: a flood of strangers gets no further than this.
    const { before, sender } = await withTenant(pool, tenantId, async (tx) => ({
      before: await readInbound(tx, tenantId, input.provider_id),
      sender: await identifySender(tx, letter.from, options),
    }));
    if (before !== null)
      return async (): Promise<Settled<InboundAnswer>> => ({ answer: before, event: null });
    const sealed = await sealLetter(letter, sender, options);
    return (tx: Tx) => store(tx, input.provider_id, sealed, options);
  };

  return async (request) => {
    const answer = await settle(request, {
      act: 'message.seal',
      callers: CALLERS,
      prepare: () => prepare(request),
    });
    logger.event('text.masked', { text_id: answer.text_id, mask_state: answer.mask_state });
    return answer;
  };
}

async function sealLetter(letter: Letter, sender: Sender, options: InboundOptions): Promise<Sealed> {
  const { tenantId, digests } = options;
  if (sender.doubts.includes('unknown_number')) admitStranger(sender.senderHash, options.strangers);
  const knownValues = sender.contactId === null ? null : await options.readKnownValues(sender.contactId);
  const analysis = await options.masking.run({ raw: letter.body, knownValues });
  const textId = options.newId();
  const caseId = sender.contactId ?? textId;
  return {
    textId,
    letter,
    sender,
    analysis,
    valueDigests: digestValues(analysis, (value) => digests.placeholderIndex(tenantId, caseId, value)),
    commitment: digests.commitment(tenantId, textId, letter.body),
  };
}

/**
 * Before anything is masked or kept. What is beyond the rate ends here: it is counted into the event of the refusals.
 * @throws DispatchError `rate_limited`, which says whose rate it was: the words of nobody on file are ever lost so
 * @source R.6, T1.8
 */
function admitStranger(senderHash: string, { each, all }: StrangerRates): void {
  try {
    each.spend(senderHash);
    all.spend('strangers');
  } catch (cause) {
    refuse('rate_limited', { detail: 'strangers', extra: { rate_of: 'unknown_sender' }, cause });
  }
}

/** Exactly one contact owns the number, or nobody does. @source design 05: an address on file twice lowers to L0 */
async function identifySender(
  tx: Tx,
  from: string,
  { tenantId, digests }: Pick<InboundOptions, 'tenantId' | 'digests'>,
): Promise<Sender> {
  const number = toE164(from);
  const senderHash = digests.senderHash(tenantId, number ?? from);
  if (number === null) return { contactId: null, senderHash, doubts: ['unknown_number'] };
  const index = digests.addressIndex(tenantId, 'phone', number);
  const owners = await findOwners(tx, tenantId, index);
  const [owner] = owners;
  if (owner === undefined) return { contactId: null, senderHash, doubts: ['unknown_number'] };
  if (owners.length > 1) return { contactId: null, senderHash, doubts: ['number_on_file_twice'] };
  return { contactId: owner, senderHash, doubts: [] };
}

/** The numbers of placeholders need the case's lock, so rendering and the few small ciphertexts happen inside. */
async function store(
  tx: Tx,
  providerId: string,
  sealed: Sealed,
  options: InboundOptions,
): Promise<Settled<InboundAnswer>> {
  const { tenantId, random } = options;
  const { textId, sender, letter } = sealed;
  const key = await keyFor(tx, sealed, options);
  const given = sender.contactId === null ? [] : await readPlaceholders(tx, tenantId, sender.contactId);
  const result = renderInCase(sealed.analysis, sealed.valueDigests, given);
  const answer = answerOf(sealed, result);
  if (!(await insertInbound(tx, tenantId, providerId, answer))) {
    const stored = await readInbound(tx, tenantId, providerId);
    return { answer: stored ?? refuse('unavailable', { detail: 'inbound_answer_lost' }), event: null };
  }
  await insertText(tx, tenantId, {
    id: textId,
    subjectId: sender.contactId,
    wrappedKey: key.wrapped,
    ciphertext: encryptValue(JSON.stringify(letter), key.dataKey, key.place, random),
    commitment: sealed.commitment,
  });
  const values = result.state === 'RELEASED' ? distinct(result.values) : [];
  await insertPlaceholders(
    tx,
    tenantId,
    textId,
    values.map(({ placeholder, value }) => ({
      placeholder,
      ciphertext: encryptValue(value, key.dataKey, placeholderPlace(key.place, placeholder), random),
      blindIndex: sealed.valueDigests.get(comparable(value)) ?? '',
    })),
  );
  return {
    answer,
    // Under a correlation of its own: the message's chain begins only with `message.receive`, which names this text.
    event: {
      resource: { kind: 'text', id: textId },
      details: {
        commitment: sealed.commitment,
        contact_id: sender.contactId,
        mask_state: answer.mask_state,
        reason: result.state === 'WITHHELD' ? result.reason : null,
        doubts: sender.doubts,
      },
    },
  };
}

/** The contact's key, locked for this transaction; a stranger's text gets a key of its own. */
async function keyFor(
  tx: Tx,
  { textId, sender }: Sealed,
  { tenantId, keyWrapper, random }: InboundOptions,
): Promise<{ readonly dataKey: Uint8Array; readonly wrapped: Uint8Array | null; readonly place: Place }> {
  if (sender.contactId === null) {
    const dataKey = random(32);
    return { dataKey, wrapped: keyWrapper.wrap(dataKey), place: textPlace(tenantId, textId, textId, 1) };
  }
  const subject = await readSubjectKey(tx, tenantId, sender.contactId);
  // Erased since the look-up: the next try finds a stranger.
  if (subject === null) return refuse('unavailable', { detail: 'contact_erased' });
  return {
    dataKey: keyWrapper.unwrap(subject.wrapped_key),
    wrapped: null,
    place: textPlace(tenantId, sender.contactId, textId, subject.key_version),
  };
}

function answerOf(sealed: Sealed, result: MaskResult): InboundAnswer {
  return {
    text_id: sealed.textId,
    contact_id: sealed.sender.contactId,
    sender_hash: sealed.sender.senderHash,
    doubts: sealed.sender.doubts,
    mask_state: result.state,
    masked_text: result.state === 'RELEASED' ? result.text : null,
  };
}

function distinct(values: readonly MaskedValue[]): readonly MaskedValue[] {
  return [...new Map(values.map((value) => [value.placeholder, value])).values()];
}
