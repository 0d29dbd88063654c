import type { Readable } from 'node:stream';
import { EVIDENCE_CONTENT_TYPES, MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CurrentSession } from '../sessions/current-session.ts';
import type { TokenSource } from '../sessions/token-source.ts';
import { announcedLength, announcedOffset, uploadTarget } from './upload-target.ts';

export interface UploadRouteOptions {
  /** Base address of dispatch-api. */
  readonly dispatchApiUrl: URL;
  readonly fetch: typeof fetch;
  readonly tokens: TokenSource;
  readonly current: CurrentSession;
  readonly timeoutMs: number;
}

const ROUTE = '/api/uploads/*';
type Upload = { Params: { '*': string } };

/**
 * Streams a photo on to the address that dispatch-api presigned, at once (PUT) or from where it stood (HEAD, PATCH);
 * no more than one chunk is held here. The browser sends to its own origin only, so dispatch-api needs no door of its
 * own to the outside.
 * @invariant dispatch-api's signature over the address is the permission; the session keeps strangers away
 */
export function addUploadRoute(server: FastifyInstance, options: UploadRouteOptions): void {
  const { tokens, current } = options;
  const taking = (accepts: readonly string[]) => ({
    config: { accepts, streamBody: true },
    bodyLimit: MAX_EVIDENCE_BYTES,
  });
  server.head<Upload>(ROUTE, async (request, reply) => {
    const visitor = current.reading(request);
    const target = targetOf(request);
    await tokens.get(visitor);
    const stands = await ask(options, target, { method: 'HEAD' });
    return reply.code(204).header('upload-offset', stands).send();
  });
  const pass = (method: 'PUT' | 'PATCH') => async (request: FastifyRequest<Upload>, reply: FastifyReply) => {
    const visitor = current.changing(request);
    const headers: Record<string, string> = {
      'content-type': request.headers['content-type'] ?? '',
      'content-length': String(announcedLength(request.headers['content-length'])),
    };
    if (method === 'PATCH') headers['upload-offset'] = announcedOffset(request.headers['upload-offset']);
    const target = targetOf(request);
    await tokens.get(visitor);
    const body = request.body as Readable;
    const stands = await ask(options, target, { method, headers, body, duplex: 'half' });
    return reply.code(200).header('upload-offset', stands).send({});
  };
  server.put<Upload>(ROUTE, taking(EVIDENCE_CONTENT_TYPES), pass('PUT'));
  server.patch<Upload>(ROUTE, taking(['application/partial-upload']), pass('PATCH'));
}

function targetOf(request: FastifyRequest<Upload>): string {
  const search = new URLSearchParams(request.raw.url?.split('?')[1] ?? '');
  return uploadTarget(request.params['*'], search);
}

/** @returns the offset that dispatch-api says the upload has now */
async function ask(options: UploadRouteOptions, target: string, init: RequestInit): Promise<string> {
  let response: Response;
  try {
    response = await options.fetch(new URL(target, options.dispatchApiUrl), {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs),
    });
  } catch (cause) {
    return refuse('unavailable', { detail: 'upload: not forwarded', cause });
  }
  await response.body?.cancel();
  const { status } = response;
  const offset = response.headers.get('upload-offset') ?? '';
  if (response.ok && /^[0-9]{1,9}$/.test(offset)) return offset;
  // Only what a person, or the page, can act on is told apart.
  if (status === 413) refuse('payload_too_large');
  if (status === 404) refuse('not_found', { detail: 'upload: address refused' });
  if (status === 409) refuse('upload_conflict');
  if (status >= 400 && status < 500) refuse('evidence_mismatch', { detail: 'upload: refused' });
  return refuse('unavailable', { detail: 'upload: peer failed' });
}
