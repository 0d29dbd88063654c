import { UUID_PATTERN } from '@deadlatch/catalogue';
import { type ServiceClient, validator } from '@deadlatch/http';
import { DispatchError, derivedUuid, type ErrorCode, type JsonValue, refuse } from '@deadlatch/kernel';
import type { Metrics } from '@deadlatch/telemetry';
import Type, { type Static } from 'typebox';
import type { Carrier } from './carrier.ts';
import type { DeliveryJournal } from './delivery-journal.ts';
import type { GatewayLogger } from './log-events.ts';
import { orOutage, trustAnswer } from './peer-answer.ts';
import type { Report } from './report.ts';

/** How one delivery ended. `superseded`: what the text says is no longer true, or it was sent before. */
export type DeliveryState = 'sent' | 'failed' | 'superseded';

const Rendered = Type.Object(
  {
    message_id: Type.String({ pattern: UUID_PATTERN }),
    contact_id: Type.String({ pattern: UUID_PATTERN }),
    channel: Type.String({ maxLength: 20 }),
    // What the carrier takes at most is the carrier's to say.
    text: Type.String({ minLength: 1, maxLength: 10_000 }),
    reveal_grant: Type.String({ minLength: 1, maxLength: 4096 }),
  },
  { additionalProperties: false },
);
const Revealed = Type.Object(
  {
    fields: Type.Object(
      {
        phone: Type.Optional(Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$' })),
        email: Type.Optional(Type.String({ maxLength: 320 })),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);

/** There is nothing (left) to say: no longer true, or sent before. */
const SUPERSEDED: readonly ErrorCode[] = ['superseded', 'invalid_state'];

/**
 * Delivers outbound messages: asks dispatch-api for the text (which is refused when it is no longer true), the
 * vault for the number, hands both to the carrier and reports what it said.
 *
 * Two calls for one message at the same time are one delivery; a later call finds it in the journal.
 * @throws DispatchError `unavailable` when it has to be tried again; `not_found` for a message nobody knows
 * @invariant The text comes from dispatch-api and the number from the vault; the caller names only a message id.
 * @source T2.6
 */
export function createDelivery(options: {
  readonly dispatchApi: ServiceClient;
  readonly vault: ServiceClient;
  readonly carrier: Carrier;
  readonly journal: DeliveryJournal;
  readonly report: Report;
  readonly logger: GatewayLogger;
  readonly metrics: Metrics;
}): (messageId: string) => Promise<DeliveryState> {
  const { dispatchApi, vault, carrier, journal, report, logger, metrics } = options;
  const readRendered = validator<Static<typeof Rendered>>(Rendered);
  const readRevealed = validator<Static<typeof Revealed>>(Revealed);
  const inFlight = new Map<string, Promise<DeliveryState>>();

  const tell: Report = (...words) => orOutage(report(...words), []);

  const reportSent = async (messageId: string, providerId: string): Promise<DeliveryState> => {
    await tell(messageId, 'sent', providerId);
    await journal.markReported(messageId);
    logger.event('delivery.sent', { message_id: messageId, channel: 'sms' });
    return 'sent';
  };

  const deliver = async (messageId: string): Promise<DeliveryState> => {
    const before = await journal.find(messageId);
    if (before !== null) return before.isReported ? 'sent' : reportSent(messageId, before.providerId);

    const read = dispatchApi.read(`/v1/messages/${messageId}/rendered`);
    const answer = await unless(orOutage(read, [...SUPERSEDED, 'not_found']), SUPERSEDED);
    if (answer === null) {
      // Says so, or the message would wait for ever; of one that has left already nothing changes.
      await tell(messageId, 'superseded', null);
      logger.event('delivery.superseded', { message_id: messageId });
      return 'superseded';
    }
    const rendered = trustAnswer(readRendered, answer);
    if (rendered.message_id !== messageId) refuse('unavailable', { detail: 'another message was rendered' });

    const phone = rendered.channel === 'sms' ? await revealPhone(rendered.reveal_grant) : undefined;
    const result = phone === undefined ? null : await carrier.send(phone, rendered.text);
    if (result === null || result.outcome === 'refused') {
      await tell(messageId, 'failed', null);
      logger.event('delivery.failed', { message_id: messageId });
      return 'failed';
    }
    await journal.record(messageId, result.providerId);
    return reportSent(messageId, result.providerId);
  };

  const revealPhone = async (grant: string): Promise<string | undefined> => {
    // A grant works once, so the grant itself names the attempt.
    const idempotencyKey = derivedUuid('gateway', 'reveal', grant);
    const call = orOutage(vault.write('/v1/reveals', { grant }, { idempotencyKey }), ['not_found']);
    const answer = await unless(call, ['not_found']);
    return answer === null ? undefined : trustAnswer(readRevealed, answer).fields.phone;
  };

  return async (messageId) => {
    const running = inFlight.get(messageId);
    if (running !== undefined) return running;
    const started = deliver(messageId)
      .then((state) => {
        metrics.add('deliveries_total', { state });
        return state;
      })
      .finally(() => inFlight.delete(messageId));
    inFlight.set(messageId, started);
    return started;
  };
}

/** The answer, or `null` when the peer refused with one of `codes`. */
async function unless(call: Promise<JsonValue>, codes: readonly ErrorCode[]): Promise<JsonValue | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof DispatchError && codes.includes(error.code)) return null;
    throw error;
  }
}
