import type { Readable } from 'node:stream';
import { EVIDENCE_CONTENT_TYPES, MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CurrentSession } from '../sessions/current-session.ts';
import type { TokenSource } from '../sessions/token-source.ts';
import { announcedLength, uploadTarget } from './upload-target.ts';

export interface UploadRouteOptions {
  /** Base address of dispatch-api. */
  readonly dispatchApiUrl: URL;
  readonly fetch: typeof fetch;
  readonly tokens: TokenSource;
  readonly current: CurrentSession;
  readonly timeoutMs: number;
}

/**
 * Streams a photo on to the address that dispatch-api presigned; no more than one chunk is held here. The
 * browser sends to its own origin only, so dispatch-api needs no door of its own to the outside.
 * @invariant dispatch-api's signature over the address is the permission; the session keeps strangers away
 */
export function addUploadRoute(server: FastifyInstance, options: UploadRouteOptions): void {
  const { tokens, current } = options;
  const photo = {
    config: { accepts: EVIDENCE_CONTENT_TYPES, streamBody: true },
    bodyLimit: MAX_EVIDENCE_BYTES,
  };
  server.put<{ Params: { '*': string } }>('/api/uploads/*', photo, async (request, reply) => {
    const visitor = current.changing(request);
    const length = announcedLength(request.headers['content-length']);
    const search = new URLSearchParams(request.raw.url?.split('?')[1] ?? '');
    const target = uploadTarget(request.params['*'], search);
    await tokens.get(visitor);
    await forward(options, target, request, length);
    return reply.code(200).send({});
  });
}

async function forward(
  options: UploadRouteOptions,
  target: string,
  request: FastifyRequest,
  length: number,
): Promise<void> {
  let response: Response;
  try {
    response = await options.fetch(new URL(target, options.dispatchApiUrl), {
      method: 'PUT',
      headers: {
        'content-type': request.headers['content-type'] ?? '',
        'content-length': String(length),
      },
      body: request.body as Readable,
      duplex: 'half',
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
  } catch (cause) {
    return refuse('unavailable', { detail: 'upload: not forwarded', cause });
  }
  await response.body?.cancel();
  if (response.ok) return;
  // Only what a person can act on is told apart.
  if (response.status === 413) refuse('payload_too_large');
  if (response.status === 404) refuse('not_found', { detail: 'upload: address refused' });
  if (response.status >= 400 && response.status < 500)
    refuse('evidence_mismatch', { detail: 'upload: refused' });
  refuse('unavailable', { detail: 'upload: peer failed' });
}
