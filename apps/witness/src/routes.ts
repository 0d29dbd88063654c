import { authenticate, type KeyRing, type NonceMemory, readJson, validator } from '@deadlatch/http';
import { type Clock, DispatchError, refuse } from '@deadlatch/kernel';
import type { Receipt, RequestShape } from '@deadlatch/signing';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Cosigner, Verdict } from './cosigner.ts';
import type { Ledger } from './ledger.ts';
import type { WitnessLogger } from './log-events.ts';

/** A checkpoint with its signatures and 63 lines of proof need under 8 kB. */
const SUBMISSION_BYTES = 16_384;
/** 256 receipts of at most 4 kB would be more than any are; a receipt has under 600 bytes. */
const RECEIPTS_BYTES = 262_144;
const MAX_RECEIPTS = 256;
/** As many alarms as are shown; one is enough to stop everything. */
const MAX_SHOWN_ALARMS = 100;
const SIZE_TYPE = 'text/x.tlog.size';

/** The statuses that the protocol prescribes. @source C2SP tlog-witness, add-checkpoint */
const STATUSES = { malformed: 400, unsigned: 403, unknown_log: 404, unproven: 422 } as const;

const ReceiptsRequest = Type.Object(
  {
    receipts: Type.Array(Type.String({ minLength: 1, maxLength: 4_096 }), {
      minItems: 1,
      maxItems: MAX_RECEIPTS,
    }),
  },
  { additionalProperties: false },
);

export interface RouteParts {
  readonly audience: string;
  readonly keys: KeyRing;
  readonly nonces: NonceMemory;
  readonly now: Clock;
  readonly cosigner: Cosigner;
  readonly ledger: Ledger;
  /** @throws DispatchError `unauthenticated` for what is no receipt of this log */
  readonly verifyReceipt: (token: string) => Receipt;
  readonly logger: WitnessLogger;
}

export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  const prove = (request: FastifyRequest, shape: RequestShape) =>
    authenticate(request, { ...parts, shapes: [shape] });

  const text = { bodyLimit: SUBMISSION_BYTES, config: { accepts: ['text/plain'] } };
  app.post('/add-checkpoint', text, async (request, reply) => {
    const sender = await prove(request, { write: true, token: false, contentType: 'text/plain' });
    if (sender.service !== 'sequencer') refuse('above_ceiling', { detail: 'not_the_sequencer' });
    return answer(reply, await parts.cosigner.submit(request.rawBody));
  });

  const readReceipts = validator<Static<typeof ReceiptsRequest>>(ReceiptsRequest);
  app.post('/v1/receipts', { bodyLimit: RECEIPTS_BYTES }, async (request) => {
    const sender = await prove(request, { write: true, token: false });
    const { receipts } = readReceipts(readJson(request));
    const refused: number[] = [];
    const genuine = receipts.flatMap((token, at) => {
      const receipt = genuineOf(token, parts);
      if (receipt === undefined) refused.push(at);
      return receipt ?? [];
    });
    await parts.ledger.take(
      genuine.map(({ leaf_hash: leafHash, event_id: eventId, time }) => ({ leafHash, eventId, time })),
    );
    const { service } = sender;
    parts.logger.event('receipts.taken', { service, taken: genuine.length });
    if (refused.length > 0) parts.logger.event('receipts.refused', { service, refused: refused.length });
    return { accepted: genuine.length, refused };
  });

  app.get('/v1/checkpoint', async (request) => {
    await prove(request, { write: false, token: false });
    const { known, cosigned } = parts.cosigner.head();
    const newest = known !== null && known.size === cosigned?.size ? cosigned : known;
    const alarms = parts.ledger.alarms().slice(0, MAX_SHOWN_ALARMS);
    return {
      note: newest?.note ?? null,
      size: newest?.size ?? 0,
      alarms: alarms.map(({ eventId, time, kind }) => ({ event_id: eventId, time, kind })),
    };
  });
}

function genuineOf(token: string, { verifyReceipt }: Pick<RouteParts, 'verifyReceipt'>): Receipt | undefined {
  try {
    return verifyReceipt(token);
  } catch (error) {
    if (error instanceof DispatchError && error.code === 'unauthenticated') return undefined;
    throw error;
  }
}

/** @throws DispatchError `unavailable` for a cosignature that is withheld */
function answer(reply: FastifyReply, verdict: Verdict): FastifyReply {
  switch (verdict.kind) {
    case 'cosigned':
      return reply.type('text/plain; charset=utf-8').send(verdict.line);
    case 'conflict':
      return reply
        .code(409)
        .type(SIZE_TYPE)
        .send(Buffer.from(`${verdict.size}\n`));
    case 'withheld':
      return refuse('unavailable', { detail: 'cosignature_withheld' });
    default:
      return reply.code(STATUSES[verdict.kind]).type('text/plain; charset=utf-8').send(`${verdict.kind}\n`);
  }
}
