import { type Clock, DispatchError, toInstant } from '@deadlatch/kernel';
import type { FastifyRequest } from 'fastify';
import type { Proven } from '../command/caller.ts';
import type { Refusals } from '../command/refusals.ts';
import type { Gate } from './gate.ts';

/** Runs one read of the catalogue for a caller that is proven first. */
export type AuditedRead = <Answer>(
  name: string,
  request: FastifyRequest,
  read: (proven: Proven) => Promise<Answer>,
) => Promise<Answer>;

/**
 * Proves who reads, and writes a refusal before it is answered: who looks for what is not theirs is seen (F.6).
 * @throws DispatchError `unauthenticated` without a trace; else the read's refusal, after its event; `unavailable`
 *   when nothing could be read or written
 */
export function createAuditedRead(options: {
  readonly gate: Gate;
  readonly refusals: Pick<Refusals, 'refuse'>;
  readonly now: Clock;
  readonly newId: () => string;
  readonly traceId: () => string | null;
}): AuditedRead {
  const { gate, refusals, now, newId, traceId } = options;
  return async (name, request, read) => {
    const proven = await gate(request);
    try {
      return await read(proven);
    } catch (error) {
      if (!(error instanceof DispatchError) || error.code === 'unavailable') throw error;
      // What was asked for is in the signed path; an id that is not the reader's stands in no timeline.
      return refusals.refuse(
        {
          id: newId(),
          time: toInstant(now()),
          command: name,
          proven,
          inputDigest: '',
          resource: null,
          ticketId: null,
          traceId: traceId(),
        },
        { code: error.code, detail: error.detail ?? '', extra: error.extra, policyIds: error.policyIds },
      );
    }
  };
}
