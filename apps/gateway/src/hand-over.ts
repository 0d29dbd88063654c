import { CHANNELS, DOUBTS, MASK_STATES, UUID_PATTERN } from '@deadlatch/catalogue';
import { type ServiceClient, validator } from '@deadlatch/http';
import { derivedUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import Type, { type Static } from 'typebox';
import type { DeliveryJournal } from './delivery-journal.ts';
import { handToVault } from './door.ts';
import type { InboxItem, ReceivedItem, StatusItem } from './inbox.ts';
import { trustAnswer } from './peer-answer.ts';
import type { Report } from './report.ts';

/** How long a status may wait for the note of the text it reports on before a person has to look. */
const STRAY_STATUS_MS = 3_600_000;

const MaskedMessage = Type.Object(
  {
    text_id: Type.String({ pattern: UUID_PATTERN }),
    contact_id: Type.Union([Type.String({ pattern: UUID_PATTERN }), Type.Null()]),
    sender_hash: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    doubts: Type.Array(Type.Enum([...DOUBTS]), { maxItems: DOUBTS.length }),
    mask_state: Type.Enum([...MASK_STATES]),
    masked_text: Type.Union([Type.String({ maxLength: 16_000 }), Type.Null()]),
  },
  { additionalProperties: false },
);

/**
 * Hands one inbox item on: a text to the vault, which masks it, and then to dispatch-api; a status to
 * dispatch-api. Every step carries a key derived from the event, so repeating it after a crash changes nothing.
 * @returns a function that resolves once nothing is left to do for the item
 * @throws DispatchError the peer's code; `unavailable`, later `not_found`, when the text behind a status is unknown
 */
export function createHandOver(options: {
  readonly vault: ServiceClient;
  readonly dispatchApi: ServiceClient;
  readonly journal: DeliveryJournal;
  readonly report: Report;
  readonly now: () => number;
}): (item: InboxItem) => Promise<void> {
  const { vault, dispatchApi, journal, report, now } = options;
  const readMasked = validator<Static<typeof MaskedMessage>>(MaskedMessage);

  const receive = async (item: ReceivedItem): Promise<void> => {
    const masked = trustAnswer(readMasked, await handToVault(vault, item));
    await dispatchApi.write('/v1/message.receive', messageReceive(item, masked), {
      idempotencyKey: derivedUuid('gateway', 'receive', item.provider_id),
    });
  };

  const forwardStatus = async (item: StatusItem): Promise<void> => {
    const messageId = await journal.messageOf(item.provider_id);
    if (messageId === null) {
      // The carrier may be faster than our own note of the text it reports on.
      const isStray = now() - Date.parse(item.received_at) > STRAY_STATUS_MS;
      return refuse(isStray ? 'not_found' : 'unavailable', { detail: 'status of a text not in the journal' });
    }
    const record = await journal.find(messageId);
    if (record?.isReported === false) {
      // Keeps the order: dispatch-api hears that it was sent before it hears what became of it.
      await report(messageId, 'sent', item.provider_id);
      await journal.markReported(messageId);
    }
    await report(messageId, item.status, item.provider_id);
  };

  return (item) => (item.kind === 'receive' ? receive(item) : forwardStatus(item));
}

/** The body of `message.receive`; a pure function of its input, because a repeated key needs an equal body. */
function messageReceive(item: ReceivedItem, masked: Static<typeof MaskedMessage>): Record<string, JsonValue> {
  const [sms] = CHANNELS;
  return {
    channel: sms,
    provider_id: item.provider_id,
    ...(masked.contact_id === null ? {} : { contact_id: masked.contact_id }),
    sender_hash: masked.sender_hash,
    doubts: [...masked.doubts],
    received_at: item.received_at,
    text_id: masked.text_id,
    mask_state: masked.mask_state,
    ...(masked.masked_text === null ? {} : { masked_text: masked.masked_text }),
  };
}
