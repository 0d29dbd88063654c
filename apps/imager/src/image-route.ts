import type { Readable } from 'node:stream';
import { EVIDENCE_CONTENT_TYPES, MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { FastifyInstance } from 'fastify';
import type { Decoder } from './decode-in-child.ts';

/**
 * Takes a picture and gives it back drawn anew: the same type, upright, without anything but the picture.
 * `image-sha256` is the hash of what follows; whoever asked computes it again.
 */
export function addImageRoute(app: FastifyInstance, decode: Decoder): void {
  const config = { accepts: EVIDENCE_CONTENT_TYPES, streamBody: true };
  app.post('/v1/images', { bodyLimit: MAX_EVIDENCE_BYTES, config }, async (request, reply) => {
    const essence = request.headers['content-type'];
    const type = EVIDENCE_CONTENT_TYPES.find((known) => known === essence);
    if (type === undefined) return refuse('unsupported_media_type', { detail: 'content_type' });
    const outcome = await decode(type, request.body as Readable);
    if (outcome.kind === 'unusable')
      return refuse('evidence_unusable', { extra: { reason: outcome.reason } });
    reply.raw.once('close', outcome.abandon);
    return reply
      .headers({ 'content-length': outcome.sizeBytes, 'image-sha256': outcome.sha256 })
      .type(type)
      .send(outcome.bytes);
  });
}
