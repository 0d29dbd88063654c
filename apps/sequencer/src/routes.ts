import { HASH_BYTES } from '@deadlatch/audit-log';
import type { ServiceName } from '@deadlatch/catalogue';
import { authenticate, type KeyRing, type NonceMemory, readJson, validator } from '@deadlatch/http';
import { type Clock, refuse } from '@deadlatch/kernel';
import { fromBase64url } from '@deadlatch/signing';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { type ProofParts, proveLeaves, publishedNote } from './prove-leaves.ts';

const MAX_LEAVES = 256;
/** 256 hashes of 43 characters, with their quotes and commas. */
const BODY_BYTES = 16_384;
/** Who watches the log. */
const READERS: readonly ServiceName[] = ['witness', 'cli'];

const ProofRequest = Type.Object(
  {
    leaf_hashes: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }), {
      minItems: 0,
      maxItems: MAX_LEAVES,
    }),
    size: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  },
  { additionalProperties: false },
);

/**
 * `GET /checkpoint` and `POST /v1/proofs`, for the witness and the operator's command line.
 * @invariant answers come from the published, cosigned checkpoint, or from the tree that the asker named and holds
 * the root of; also while nothing is sequenced
 * @source T4.1, F.4
 */
export function addLogRoutes(
  app: FastifyInstance,
  options: ProofParts & {
    /** SPIFFE id of this service */
    readonly audience: string;
    readonly keys: KeyRing;
    readonly nonces: NonceMemory;
    readonly now: Clock;
  },
): void {
  const { files, reader, readTrust, ...proof } = options;
  const demandReader = async (request: FastifyRequest, write: boolean) => {
    const sender = await authenticate(request, { ...proof, shapes: [{ write, token: false }] });
    if (!READERS.some((name) => name === sender.service)) {
      refuse('above_ceiling', { detail: 'not_a_reader_of_the_log' });
    }
  };
  const readRequest = validator<Static<typeof ProofRequest>>(ProofRequest);
  app.get('/checkpoint', async (request, reply) => {
    await demandReader(request, false);
    const { note } = publishedNote({ files, readTrust });
    return reply.type('text/plain; charset=utf-8').send(note);
  });
  app.post('/v1/proofs', { bodyLimit: BODY_BYTES }, async (request) => {
    await demandReader(request, true);
    const { leaf_hashes: leaves, size = null } = readRequest(readJson(request));
    return await proveLeaves(leaves.map(leafOf), size, { files, reader, readTrust });
  });
}

/** The pattern allows four spellings of one hash; one of them is read. */
function leafOf(text: string): Uint8Array {
  const leaf = fromBase64url(text);
  return leaf?.byteLength === HASH_BYTES ? leaf : refuse('schema_mismatch', { detail: 'leaf_hash' });
}
