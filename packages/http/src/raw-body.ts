import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { DispatchError, refuse } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body exactly as it was received; empty when there was none or when the route streams it. */
    rawBody: Buffer;
  }
  interface FastifyContextConfig {
    /** Content types of this route's bodies; `application/json` alone unless told. */
    readonly accepts?: readonly string[];
    /** `request.body` is a stream that fails beyond the route's body limit; nothing is kept in memory. */
    readonly streamBody?: boolean;
  }
}

export const NO_BODY: Buffer = Buffer.alloc(0);
const JSON_ONLY: readonly string[] = ['application/json'];
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** How much of a refused body is read and thrown away so that the sender can see the answer, and for how long. */
const DISCARD_BYTES = 1_048_576;
const DISCARD_MS = 2_000;

/**
 * Refuses by its headers a body that no handler of this route would read, before a byte of it is read.
 * @throws DispatchError `unsupported_media_type`, `payload_too_large`, `malformed_body`
 * @source I.4; a coded body would have a second form that nobody signed
 */
export function assertBodyHeaders(request: FastifyRequest, bodyLimitBytes: number): void {
  const { headers } = request;
  if (headers['content-encoding'] !== undefined) {
    refuse('unsupported_media_type', { detail: 'content_encoding' });
  }
  const length = Number(headers['content-length'] ?? 0);
  if (!METHODS_WITH_BODY.has(request.method)) {
    if (length > 0 || headers['transfer-encoding'] !== undefined) {
      refuse('malformed_body', { detail: 'body_on_a_read' });
    }
    return;
  }
  if (!isAccepted(headers['content-type'], request.routeOptions.config.accepts ?? JSON_ONLY)) {
    refuse('unsupported_media_type', { detail: 'content_type' });
  }
  if (length > bodyLimitBytes) refuse('payload_too_large', { detail: 'content_length' });
}

/** JSON has one spelling, since the content type is signed; browsers and carriers add a charset to forms. */
function isAccepted(contentType: string | undefined, accepts: readonly string[]): boolean {
  if (contentType === undefined) return false;
  const essence = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return accepts.some((type) => (type === 'application/json' ? contentType === type : essence === type));
}

/** Replaces Fastify's parsers: bodies are kept as bytes, whatever their type, and counted while they arrive. */
export function keepRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const limit = request.routeOptions.bodyLimit ?? app.initialConfig.bodyLimit ?? 0;
    if (request.routeOptions.config.streamBody === true) return limitedStream(payload, limit);
    request.rawBody = await collect(payload, limit);
    return request.rawBody;
  });
}

async function collect(payload: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  // The default iterator destroys the socket when left early, and the sender would never see the refusal.
  for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).byteLength;
    if (size > limitBytes) refuse('payload_too_large', { detail: 'streamed_body' });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks, size);
}

function limitedStream(payload: IncomingMessage, limitBytes: number): Readable {
  let size = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.byteLength;
      if (size > limitBytes) done(new DispatchError('payload_too_large', { detail: 'streamed_body' }));
      else done(null, chunk);
    },
  });
  payload.once('error', (cause) => counted.destroy(cause));
  payload.once('aborted', () => counted.destroy(new Error('the sender went away')));
  // A stream nobody reads must not end the process when it fails; whoever reads it gets the error as well.
  counted.on('error', () => payload.unpipe(counted));
  return payload.pipe(counted);
}

/**
 * Reads and throws away what is left of a body that was refused, within bounds, then cuts the connection.
 * Closing at once would make the sender's kernel drop the answer together with the connection.
 */
export function discardRest(message: IncomingMessage): void {
  if (message.complete || message.destroyed) return;
  let left = DISCARD_BYTES;
  const cut = () => {
    if (!message.complete) message.socket.destroy();
  };
  const timer = setTimeout(cut, DISCARD_MS).unref();
  message.once('close', () => clearTimeout(timer));
  message.on('data', (chunk: Buffer) => {
    left -= chunk.byteLength;
    if (left < 0) cut();
  });
  message.resume();
}
