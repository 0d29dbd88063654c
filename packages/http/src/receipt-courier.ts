import { spiffeId } from '@deadlatch/catalogue';
import { DispatchError, type JsonValue } from '@deadlatch/kernel';
import { type Receipt, verifyReceipt } from '@deadlatch/signing';
import { codeOf, type Logger } from '@deadlatch/telemetry';
import type { ServiceClient } from './service-client.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Brings receipts of accepted commands to the witness, beside the work. */
export interface ReceiptCourier {
  /**
   * A client of `dispatch-api` whose answers have no receipt any more: each is taken out, verified, and handed over in
   * the background. An answer without a valid one is reported and given as it is: the command did happen.
   */
  accompany(client: ServiceClient): ServiceClient;
  /** Hands over what waits, within a few seconds, and ends. */
  close(): Promise<void>;
}

/** What the witness takes at once. */
const BATCH = 256;
/** From the first receipt to its hand-over; the witness counts from then. */
const GATHER_MS = 500;
const RETRY_MS = 2_000;
/** About 6 MB, or five minutes of a busy service, while the witness is away; what comes after is given up. */
const MAX_WAITING = 10_000;
/** A key that the witness does not know yet is known to it by then. */
const REFUSED_TRIES = 30;
const CLOSE_MS = 2_000;

interface Waiting {
  readonly token: string;
  tries: number;
}

export interface ReceiptCourierOptions {
  readonly witness: Pick<ServiceClient, 'write'>;
  readonly environment: string;
  /** who signs receipts, and of which log */
  readonly trust: () => Pick<TrustBundle, 'grantKeys' | 'log'>;
  readonly logger: Pick<Logger, 'event'>;
  readonly gatherMs?: number;
  readonly retryMs?: number;
  readonly maxWaiting?: number;
}

/**
 * @invariant no receipt leaves through `accompany`: it is for the witness, and neither browsers nor agents see one
 * @source F.5
 */
export function createReceiptCourier(options: ReceiptCourierOptions): ReceiptCourier {
  const { witness, environment, trust, logger } = options;
  const { gatherMs = GATHER_MS, retryMs = RETRY_MS, maxWaiting = MAX_WAITING } = options;
  const verify = (token: string): Receipt => {
    const { grantKeys, log } = trust();
    const issuer = spiffeId(environment, 'dispatch-api');
    return verifyReceipt(token, { keys: grantKeys, issuer, origin: log.origin });
  };
  let waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;

  const plan = (ms: number) => {
    timer ??= setTimeout(() => {
      timer = undefined;
      sending = send().finally(() => {
        sending = undefined;
      });
    }, ms).unref();
  };

  /** @returns false when the witness did not take them */
  const handOver = async (batch: readonly Waiting[]): Promise<boolean> => {
    let refused: ReadonlySet<number>;
    try {
      const answer = await witness.write('/v1/receipts', { receipts: batch.map(({ token }) => token) });
      refused = refusedIn(answer, batch.length);
    } catch (error) {
      logger.event('receipts.waiting', { code: codeOf(error), waiting: waiting.length });
      return false;
    }
    for (const at of refused) {
      const receipt = batch[at];
      if (receipt !== undefined) receipt.tries += 1;
    }
    const isOver = new Set(batch.filter(({ tries }, at) => !refused.has(at) || tries >= REFUSED_TRIES));
    const lost = batch.filter((receipt, at) => refused.has(at) && isOver.has(receipt)).length;
    if (lost > 0) logger.event('receipts.given_up', { reason: 'refused', count: lost });
    waiting = waiting.filter((receipt) => !isOver.has(receipt));
    return refused.size === 0;
  };

  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      if (!(await handOver(waiting.slice(0, BATCH)))) {
        plan(retryMs);
        return;
      }
    }
  };

  const take = (answer: JsonValue): JsonValue => {
    if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) {
      logger.event('receipt.missing', { reason: 'no_answer' });
      return answer;
    }
    const { receipt, ...rest } = answer;
    const eventId = typeof rest.event_id === 'string' ? rest.event_id : undefined;
    const reason = whyNot(receipt, eventId, verify);
    if (reason !== null) logger.event('receipt.missing', { reason, event_id: eventId });
    else if (waiting.length >= maxWaiting) logger.event('receipts.given_up', { reason: 'no_room', count: 1 });
    else waiting.push({ token: String(receipt), tries: 0 });
    if (waiting.length > 0 && sending === undefined) plan(gatherMs);
    return rest;
  };

  return {
    accompany: (client) => ({
      ...client,
      write: async (path, body, credentials) => take(await client.write(path, body, credentials)),
    }),
    close: async () => {
      clearTimeout(timer);
      const end = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([end, Promise.resolve(sending).then(send)]);
      clearTimeout(timer);
      if (waiting.length > 0) logger.event('receipts.given_up', { reason: 'closing', count: waiting.length });
    },
  };
}

/** Why this is no receipt for that event; null when it is one. */
function whyNot(
  receipt: JsonValue | undefined,
  eventId: string | undefined,
  verify: (token: string) => Receipt,
): string | null {
  if (typeof receipt !== 'string') return 'absent';
  try {
    return verify(receipt).event_id === eventId ? null : 'other_event';
  } catch (error) {
    return error instanceof DispatchError && error.code === 'unauthenticated'
      ? 'not_genuine'
      : 'not_verified';
  }
}

/** Places of the batch that the witness did not take. @throws TypeError when it says nothing of the kind */
function refusedIn(answer: JsonValue, count: number): ReadonlySet<number> {
  const isObject = answer !== null && typeof answer === 'object' && !Array.isArray(answer);
  const refused = isObject ? answer.refused : undefined;
  const isWhole =
    Array.isArray(refused) && refused.every((at) => typeof at === 'number' && at >= 0 && at < count);
  if (!isWhole) throw new TypeError('not an answer of a witness');
  return new Set(refused as number[]);
}
