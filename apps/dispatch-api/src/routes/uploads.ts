import type { Readable } from 'node:stream';
import { EVIDENCE_CONTENT_TYPES, MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import type { FastifyInstance } from 'fastify';
import type { ObjectStore } from '../object-store/object-store.ts';
import { readUploadAddress } from '../object-store/upload-address.ts';

/**
 * Takes the bytes of a presigned upload. The address is the whole permission: it names one evidence id and one size,
 * and what is stored is evidence only after `evidence.finalize` has hashed it again.
 */
export function addUploadRoute(
  app: FastifyInstance,
  parts: { readonly store: ObjectStore; readonly uploadKey: Uint8Array; readonly now: () => number },
): void {
  const accepts = [...EVIDENCE_CONTENT_TYPES, 'application/octet-stream'];
  app.put(
    '/uploads/:tenantId/:evidenceId',
    { bodyLimit: MAX_EVIDENCE_BYTES, config: { accepts, streamBody: true } },
    async (request, reply) => {
      const path = request.params as { tenantId: string; evidenceId: string };
      const query = request.query as Record<string, unknown>;
      const permit = readUploadAddress(path, query, parts.uploadKey, Math.floor(parts.now() / 1000));
      await parts.store.receive(
        permit.tenantId,
        permit.evidenceId,
        request.body as Readable,
        permit.sizeBytes,
      );
      return reply.code(204).send();
    },
  );
}
