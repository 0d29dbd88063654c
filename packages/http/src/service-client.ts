import {
  type Clock,
  createIdMaker,
  DispatchError,
  ERROR_CODES,
  type ErrorCode,
  isUuid,
  type JsonValue,
  parseStrictJson,
} from '@deadlatch/kernel';
import { parseTarget, type ServiceKeyPair, signRequest } from '@deadlatch/signing';
import type { Tracing } from '@deadlatch/telemetry';

/** Calls one other service with signed requests. Every method throws DispatchError, and nothing else. */
export interface ServiceClient {
  /**
   * POST. @param idempotencyKey minted when absent: a caller that may try again must give its own
   * @returns the answer's JSON, or `null` for an empty answer
   */
  write(
    path: string,
    body: object,
    options?: { readonly token?: string; readonly idempotencyKey?: string },
  ): Promise<JsonValue>;
  /** GET */
  read(path: string, options?: { readonly token?: string }): Promise<JsonValue>;
  /** GET of an object that is not JSON. @param maxBytes a larger answer is refused */
  readBytes(
    path: string,
    options: { readonly token?: string; readonly maxBytes: number },
  ): Promise<{ readonly contentType: string; readonly bytes: Buffer }>;
  /**
   * POST of plain text without a user token, for a protocol that is not ours and says everything by its status.
   * @returns the answer of whatever status
   */
  writeText(path: string, text: string): Promise<TextAnswer>;
}

export interface TextAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface ServiceClientOptions {
  /** the name of the service that calls */
  readonly service: string;
  /** the key to sign with now */
  readonly key: () => ServiceKeyPair;
  /** origin of the receiver, e.g. `http://127.0.0.1:4310` */
  readonly baseUrl: string;
  /** SPIFFE id of the receiver */
  readonly audience: string;
  readonly fetch: typeof globalThis.fetch;
  readonly now: Clock;
  /** returns exactly `n` random bytes */
  readonly random: (n: number) => Uint8Array;
  readonly timeoutMs: number;
  /** the receiver goes on with the current trace; it is told of none unless given */
  readonly tracing?: Tracing;
  /** larger answers are refused; 4 MB unless told */
  readonly maxAnswerBytes?: number;
}

const CODES: ReadonlySet<string> = new Set(ERROR_CODES);
/** Members of a problem document that are not `extra`. */
const STANDARD = new Set([
  'type',
  'title',
  'status',
  'code',
  'dimension',
  'request_id',
  'detail',
  'instance',
]);
const MAX_EXTRA = 16;

/**
 * Makes a client for one receiver.
 * @throws DispatchError with the peer's code when it refused with a code of the closed union; `unavailable` for
 * everything else: no connection, no answer in time, an answer that is too large, redirected, or not JSON
 * @source C.6: an outage is a refusal
 */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const newKey = createIdMaker(options.now, options.random);
  const origin = options.baseUrl.replace(/\/+$/, '');
  const { tracing } = options;
  const peer = options.audience.slice(options.audience.lastIndexOf('/') + 1);

  const send = async <Answer>(
    method: 'GET' | 'POST',
    target: string,
    body: Buffer,
    { contentType, ...credentials }: Credentials,
    maxBytes: number,
    take: (bytes: Buffer, contentType: string, status: number) => Answer,
  ): Promise<Answer> => {
    parseTarget(target);
    const headers = signRequest({
      method,
      target,
      body,
      shape: {
        write: method === 'POST',
        token: credentials.token !== undefined,
        ...(contentType !== undefined && { contentType }),
      },
      ...credentials,
      key: options.key(),
      audience: options.audience,
      now: options.now(),
      nonce: Buffer.from(options.random(16)).toString('base64url'),
    });
    // Beside the signature: what it says is only followed, never relied on.
    const traceparent = tracing?.traceparent() ?? null;
    try {
      const response = await options.fetch(`${origin}${target}`, {
        method,
        headers: traceparent === null ? headers : { ...headers, traceparent },
        redirect: 'manual',
        signal: AbortSignal.timeout(options.timeoutMs),
        ...(method === 'POST' && { body: new Uint8Array(body) }),
      });
      const bytes = await readBounded(response, maxBytes);
      const isAnswer = contentType !== undefined || (response.status >= 200 && response.status < 300);
      if (isAnswer) return take(bytes, response.headers.get('content-type') ?? '', response.status);
      throw refusalOf(jsonOf(bytes));
    } catch (cause) {
      if (cause instanceof DispatchError && cause.detail === PEER_REFUSED) throw cause;
      throw new DispatchError('unavailable', { detail: 'call_failed', cause });
    }
  };

  const call: typeof send = (method, ...rest) =>
    tracing === undefined
      ? send(method, ...rest)
      : tracing.span('call', { 'http.request.method': method, 'deadlatch.peer': peer }, () =>
          send(method, ...rest),
        );

  const maxJsonBytes = options.maxAnswerBytes ?? 4_000_000;
  const nothing = Buffer.alloc(0);
  return {
    write: (path, body, { token, idempotencyKey } = {}) => {
      const credentials = {
        idempotencyKey: idempotencyKey ?? newKey(),
        ...(token !== undefined && { token }),
      };
      return call('POST', path, Buffer.from(JSON.stringify(body)), credentials, maxJsonBytes, jsonOf);
    },
    read: (path, { token } = {}) =>
      call('GET', path, nothing, token === undefined ? {} : { token }, maxJsonBytes, jsonOf),
    readBytes: (path, { token, maxBytes }) =>
      call('GET', path, nothing, token === undefined ? {} : { token }, maxBytes, (bytes, contentType) => ({
        contentType,
        bytes,
      })),
    writeText: (path, text) =>
      call(
        'POST',
        path,
        Buffer.from(text),
        { idempotencyKey: newKey(), contentType: 'text/plain' },
        maxJsonBytes,
        (bytes, contentType, status) => ({ status, contentType, text: bytes.toString('utf8') }),
      ),
  };
}

interface Credentials {
  readonly token?: string;
  readonly idempotencyKey?: string;
  readonly contentType?: 'text/plain';
}

function jsonOf(bytes: Buffer): JsonValue {
  return bytes.byteLength === 0 ? null : parseStrictJson(bytes);
}

const PEER_REFUSED = 'peer_refused';

async function readBounded(response: Response, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > limitBytes) throw new RangeError('answer too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function refusalOf(problem: JsonValue): DispatchError {
  if (problem === null || typeof problem !== 'object' || Array.isArray(problem)) {
    return new DispatchError('unavailable', { detail: PEER_REFUSED });
  }
  const code = typeof problem.code === 'string' && CODES.has(problem.code) ? problem.code : 'unavailable';
  const extra: Record<string, string | number | readonly string[] | null> = {};
  for (const [name, value] of Object.entries(problem).slice(0, MAX_EXTRA + STANDARD.size)) {
    if (STANDARD.has(name) || !/^[a-z][a-z0-9_]{0,40}$/.test(name)) continue;
    if (value === null || typeof value === 'string' || typeof value === 'number') extra[name] = value;
    else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) extra[name] = value;
  }
  const { request_id: requestId } = problem;
  return new DispatchError(code as ErrorCode, {
    detail: PEER_REFUSED,
    extra,
    ...(typeof requestId === 'string' && isUuid(requestId) && { requestId }),
  });
}
