import { UUID_PATTERN } from '@deadlatch/catalogue';
import { authenticate, type KeyRing, type NonceMemory, readJson, validator } from '@deadlatch/http';
import { refuse } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { DeliveryState } from './deliver.ts';
import type { WebhookCall, Webhooks } from './webhooks.ts';

const FORM = 'application/x-www-form-urlencoded';
/** A text has at most 1600 characters; 16 kB holds it in any encoding. */
const WEBHOOK_BODY_BYTES = 16_384;
const DELIVERY_BODY_BYTES = 1024;

const DeliveryRequest = Type.Object(
  { message_id: Type.String({ pattern: UUID_PATTERN }) },
  { additionalProperties: false },
);

/** What the carrier calls. The answer is an empty TwiML document: replies are sent later, when they are true. */
export function addWebhookRoutes(app: FastifyInstance, webhooks: Webhooks): void {
  const options = { bodyLimit: WEBHOOK_BODY_BYTES, config: { accepts: [FORM] } };
  app.post('/sms/inbound', options, async (request, reply) => {
    await webhooks.inbound(callOf(request));
    return emptyTwiml(reply);
  });
  app.post('/sms/status', options, async (request, reply) => {
    await webhooks.status(callOf(request));
    return emptyTwiml(reply);
  });
}

/**
 * `POST /v1/deliveries`, for the worker alone.
 * @invariant Signed in the one exact shape and by the worker's key; every other service is `above_ceiling`.
 * @source T4.1, T4.2, T4.3
 */
export function addDeliveryRoute(
  app: FastifyInstance,
  options: {
    readonly audience: string;
    readonly keys: KeyRing;
    readonly nonces: NonceMemory;
    readonly now: () => number;
    readonly deliver: (messageId: string) => Promise<DeliveryState>;
  },
): void {
  const { deliver, ...proof } = options;
  const readRequest = validator<Static<typeof DeliveryRequest>>(DeliveryRequest);
  app.post('/v1/deliveries', { bodyLimit: DELIVERY_BODY_BYTES }, async (request) => {
    const sender = await authenticate(request, { ...proof, shapes: [{ write: true, token: false }] });
    if (sender.service !== 'worker') refuse('above_ceiling', { detail: 'not_the_worker' });
    return { state: await deliver(readRequest(readJson(request)).message_id) };
  });
}

function callOf(request: FastifyRequest): WebhookCall {
  const { rawHeaders, url = '' } = request.raw;
  const isSignature = (_: string, at: number) =>
    at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === 'x-twilio-signature';
  return { target: url, rawBody: request.rawBody, signatures: rawHeaders.filter(isSignature) };
}

function emptyTwiml(reply: FastifyReply): FastifyReply {
  return reply.type('text/xml; charset=utf-8').send('<Response/>');
}
