import type { Readable } from 'node:stream';
import { EVIDENCE_CONTENT_TYPES, MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readUploadAddress, type UploadPermit } from '../object-store/upload-address.ts';

export interface UploadRouteParts {
  readonly store: Pick<ObjectStore, 'offset' | 'append' | 'discardUpload'>;
  readonly uploadKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const ROUTE = '/uploads/:tenantId/:evidenceId';

/**
 * Takes the bytes of a presigned upload, at once (PUT) or in pieces: HEAD asks where it stands, PATCH goes on from
 * there. The address is the whole permission: it names one evidence id and one size, and what is stored is evidence
 * only after `evidence.finalize` has hashed it again. An address that is none is refused before a byte is read.
 * @source draft-ietf-httpbis-resumable-upload, of which the sizes are known beforehand here
 */
export function addUploadRoute(app: FastifyInstance, parts: UploadRouteParts): void {
  const { store } = parts;
  const permitOf = (request: FastifyRequest) => {
    const path = request.params as { tenantId: string; evidenceId: string };
    const query = request.query as Record<string, unknown>;
    return readUploadAddress(path, query, parts.uploadKey, Math.floor(parts.now() / 1000));
  };
  const taking = (...accepts: string[]) => ({
    bodyLimit: MAX_EVIDENCE_BYTES,
    config: { accepts, streamBody: true },
  });

  app.head(ROUTE, async (request, reply) => {
    const permit = permitOf(request);
    return stands(reply, await store.offset(permit.tenantId, permit.evidenceId), permit);
  });

  app.patch(ROUTE, taking('application/partial-upload'), async (request, reply) => {
    const permit = permitOf(request);
    const offset = readOffset(request.headers['upload-offset']);
    const length = lengthOf(request);
    if (length !== null && offset + length > permit.sizeBytes) refuse('payload_too_large');
    return stands(reply, await append(store, permit, request, offset), permit);
  });

  app.put(ROUTE, taking(...EVIDENCE_CONTENT_TYPES, 'application/octet-stream'), async (request, reply) => {
    const permit = permitOf(request);
    const length = lengthOf(request);
    if (length !== null && length > permit.sizeBytes) refuse('payload_too_large');
    if (length !== null && length < permit.sizeBytes) refuse('evidence_mismatch', { detail: 'length' });
    // All of it again: whatever came before is given up.
    await store.discardUpload(permit.tenantId, permit.evidenceId);
    const stored = await append(store, permit, request, 0);
    if (stored !== permit.sizeBytes) refuse('evidence_mismatch', { detail: 'fewer bytes than announced' });
    return stands(reply, stored, permit);
  });
}

function append(
  store: UploadRouteParts['store'],
  { tenantId, evidenceId, sizeBytes }: UploadPermit,
  request: FastifyRequest,
  offset: number,
): Promise<number> {
  return store.append(tenantId, evidenceId, request.body as Readable, { offset, sizeBytes });
}

/** Says how far an upload is; whether that is all of it is a structured boolean. */
function stands(reply: FastifyReply, offset: number, { sizeBytes }: UploadPermit): FastifyReply {
  const complete = offset === sizeBytes ? '?1' : '?0';
  return reply
    .code(204)
    .headers({ 'upload-offset': String(offset), 'upload-complete': complete })
    .send();
}

function readOffset(header: string | string[] | undefined): number {
  if (typeof header !== 'string' || !/^(?:0|[1-9][0-9]{0,8})$/.test(header)) {
    return refuse('malformed_body', { detail: 'upload_offset' });
  }
  return Number(header);
}

/** Null where it is not said beforehand: then it is counted. */
function lengthOf({ headers }: FastifyRequest): number | null {
  return headers['content-length'] === undefined ? null : Number(headers['content-length']);
}
