import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { MAX_EVIDENCE_BYTES, UNUSABLE_REASONS, type UnusableReason } from '@deadlatch/catalogue';
import { DispatchError, refuse } from '@deadlatch/kernel';

/** What imager says of a picture; nothing of it is believed before it was computed again. */
export type Drawn =
  | { readonly kind: 'unusable'; readonly reason: UnusableReason }
  | {
      readonly kind: 'picture';
      readonly sha256: string;
      readonly sizeBytes: number;
      /** To be read to its end, or destroyed. */
      readonly bytes: Readable;
    };

/**
 * Has a picture drawn anew.
 * @param body exactly `sizeBytes`; when it fails, so does the call, with the same error
 * @returns throws DispatchError `unavailable` when imager does not answer
 */
export type Imager = (contentType: string, sizeBytes: number, body: Readable) => Promise<Drawn>;

/** The answer to a refusal is a problem document of a few lines. */
const MOST_PROBLEM_BYTES = 4_096;

/** @param timeoutMs until the answer begins, and between two pieces of it */
export function createImager(options: { readonly socketPath: string; readonly timeoutMs: number }): Imager {
  return async (contentType, sizeBytes, body) => {
    const answer = await ask(options, { 'content-type': contentType, 'content-length': sizeBytes }, body);
    const { statusCode, headers } = answer;
    if (statusCode === 422) return { kind: 'unusable', reason: readReason(await textOf(answer)) };
    const { 'image-sha256': sha256, 'content-length': length } = headers;
    const isPicture =
      statusCode === 200 &&
      typeof sha256 === 'string' &&
      /^[0-9a-f]{64}$/.test(sha256) &&
      /^[1-9][0-9]{0,8}$/.test(length ?? '') &&
      Number(length) <= MAX_EVIDENCE_BYTES;
    if (!isPicture) {
      answer.destroy();
      return refuse('unavailable', { detail: `imager answered ${statusCode}` });
    }
    return { kind: 'picture', sha256, sizeBytes: Number(length), bytes: answer };
  };
}

function ask(
  { socketPath, timeoutMs }: { readonly socketPath: string; readonly timeoutMs: number },
  headers: Readonly<Record<string, string | number>>,
  body: Readable,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: 'POST', path: '/v1/images', headers, timeout: timeoutMs });
    asked.once('response', resolve);
    asked.once('timeout', () => asked.destroy(new Error('imager is late')));
    asked.once('error', (cause) =>
      reject(
        cause instanceof DispatchError
          ? cause
          : new DispatchError('unavailable', { detail: 'imager does not answer', cause }),
      ),
    );
    body.once('error', (cause) => asked.destroy(cause));
    body.pipe(asked);
  });
}

function readReason(text: string): UnusableReason {
  let reason: unknown;
  try {
    reason = (JSON.parse(text) as { readonly reason?: unknown }).reason;
  } catch {
    // Not a problem document: said below.
  }
  return (
    UNUSABLE_REASONS.find((known) => known === reason) ??
    refuse('unavailable', { detail: 'imager gave no reason' })
  );
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > MOST_PROBLEM_BYTES) break;
    }
  } catch (cause) {
    throw new DispatchError('unavailable', { detail: 'imager does not answer', cause });
  }
  return text;
}
