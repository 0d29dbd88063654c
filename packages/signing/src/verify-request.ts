import { verify } from 'node:crypto';
import { DispatchError, isUuid, refuse } from '@deadlatch/kernel';
import { fromBase64url } from './base64url.ts';
import { contentDigest } from './digests.ts';
import { type PinnedKey, usableKey } from './keys.ts';
import { readSingleHeaders } from './raw-headers.ts';
import {
  CONTENT_TYPE,
  innerListOf,
  JWS,
  MAX_LIFETIME_S,
  MAX_SKEW_MS,
  MAX_TOKEN_LENGTH,
  type RequestShape,
  signatureBase,
} from './request-profile.ts';
import { parseTarget } from './request-target.ts';

export interface VerifyRequestInput {
  readonly method: string;
  /** exactly the bytes of the request line's target (`request.raw.url`) */
  readonly target: string;
  /** node's `rawHeaders`: names and values alternating, duplicates still visible */
  readonly rawHeaders: readonly string[];
  /** exactly the bytes received */
  readonly body: Uint8Array;
  /** the shapes this endpoint accepts; an empty list accepts nothing */
  readonly shapes: readonly RequestShape[];
  /** SPIFFE id of this receiver */
  readonly audience: string;
  readonly findKey: (keyId: string) => PinnedKey | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** What a valid signature proves, and nothing else. `created` and `expires` are seconds since the epoch. */
export interface VerifiedRequest {
  readonly keyId: string;
  readonly service: string;
  readonly shape: RequestShape;
  readonly nonce: string;
  readonly created: number;
  readonly expires: number;
  readonly idempotencyKey: string | null;
  readonly token: string | null;
  /** kept with the event, so that an auditor can find commands nobody signed */
  readonly signatureBase: string;
  /** base64 (padded) of the 64 bytes */
  readonly signature: string;
}

const LABEL = '[a-z*][a-z0-9_*.-]{0,63}';
/** 64 bytes in their one spelling: the last character before the padding carries four bits. */
const SIGNATURE = new RegExp(`^(${LABEL})=:([A-Za-z0-9+/]{85}[AQgw]==):$`);
const INPUT = new RegExp(
  `^(${LABEL})=((\\([^()]{0,200}\\));created=([1-9][0-9]{0,11});expires=([1-9][0-9]{0,11})` +
    ';nonce="([A-Za-z0-9_-]{22,86})";keyid="([A-Za-z0-9_-]{43})"' +
    ';tag="deadlatch-request";aud="([a-z0-9:/._-]{1,200})")$',
);
const MIN_NONCE_BYTES = 16;
/** Every header that only a signed shape may carry. */
const SIGNED_ONLY = ['content-type', 'idempotency-key', 'txn-token'] as const;

const fail = (detail: string, cause?: unknown): never => refuse('unauthenticated', { detail, cause });

/**
 * Verifies a request against the one profile.
 *
 * The grammar is a literal, not a parser: what does not look exactly like what `signRequest` writes is refused,
 * so there is nothing about which a second implementation could disagree.
 * @throws DispatchError `missing_idempotency_key` for a signed write without that header; `unauthenticated` for
 * every other failure, with the reason in the private detail; whatever `findKey` throws when keys cannot be read
 * @invariant the returned values come from the bytes the signature covers or from the pinned key
 * @source RFC 9421, RFC 9530, T4.1, T4.3, T4.4, C.1
 */
export function verifyRequest(input: VerifyRequestInput): VerifiedRequest {
  const headers = single(input.rawHeaders);
  const inputHeader = headers.get('signature-input');
  const signatureHeader = headers.get('signature');
  if (inputHeader === undefined || signatureHeader === undefined) return fail('signature_missing');
  assertIdempotencyKey(input, headers);

  const params = readParams(inputHeader);
  const signature = SIGNATURE.exec(signatureHeader);
  if (signature?.[1] !== params.label) return fail('signature_malformed');
  const shape = input.shapes.find((s) => innerListOf(s) === params.innerList) ?? fail('shape_not_accepted');
  assertShape(shape, input, headers);
  if (params.audience !== input.audience) fail('audience_wrong');
  assertTimes(params, input.now);

  const key = usableKey(input.findKey(params.keyId), params.keyId, input.now);
  const values = new Map(headers);
  const { path, query } = target(input.target);
  values.set('@method', input.method).set('@path', path).set('@query', query);
  const base = signatureBase(shape, values, params.raw);
  const bytes = Buffer.from(signature[2] ?? '', 'base64');
  if (!verify(null, Buffer.from(base), key.publicKey, bytes)) fail('signature_wrong');
  // After the signature: hashing a body for strangers would be work for nothing.
  if (headers.get('content-digest') !== contentDigest(input.body)) fail('digest_wrong');

  return {
    keyId: key.keyId,
    service: key.service,
    shape,
    nonce: params.nonce,
    created: params.created,
    expires: params.expires,
    idempotencyKey: shape.write ? (headers.get('idempotency-key') ?? null) : null,
    token: shape.token ? (headers.get('txn-token') ?? null) : null,
    signatureBase: base,
    signature: signature[2] ?? '',
  };
}

interface Params {
  readonly label: string;
  /** everything after `label=`: the value of `@signature-params` */
  readonly raw: string;
  readonly innerList: string;
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
  readonly keyId: string;
  readonly audience: string;
}

function readParams(header: string): Params {
  const match = INPUT.exec(header);
  if (!match) return fail('signature_input_malformed');
  const [, label, raw, innerList, created, expires, nonce, keyId, audience] = match as unknown as string[];
  const nonceBytes = fromBase64url(nonce ?? '');
  if (nonceBytes === undefined || nonceBytes.byteLength < MIN_NONCE_BYTES) return fail('nonce_malformed');
  return {
    label: label ?? '',
    raw: raw ?? '',
    innerList: innerList ?? '',
    created: Number(created),
    expires: Number(expires),
    nonce: nonce ?? '',
    keyId: keyId ?? '',
    audience: audience ?? '',
  };
}

/** A write without its key cannot have any accepted shape; it is told so, since C.1 wants the reason known. */
function assertIdempotencyKey(input: VerifyRequestInput, headers: ReadonlyMap<string, string>): void {
  const isWrite = input.method !== 'GET' && input.shapes.some((s) => s.write);
  if (isWrite && !headers.get('idempotency-key')) {
    refuse('missing_idempotency_key', { detail: 'idempotency_key_missing' });
  }
}

function assertShape(
  shape: RequestShape,
  input: VerifyRequestInput,
  headers: ReadonlyMap<string, string>,
): void {
  if (input.method !== (shape.write ? 'POST' : 'GET')) fail('method_wrong');
  if (headers.has('content-encoding')) fail('content_encoded');
  if (!shape.write && input.body.byteLength > 0) fail('read_with_body');
  const covered = innerListOf(shape);
  for (const name of SIGNED_ONLY) {
    if (headers.has(name) && !covered.includes(`"${name}"`)) fail('unsigned_header');
  }
  if (shape.write && headers.get('content-type') !== (shape.contentType ?? CONTENT_TYPE))
    fail('content_type_wrong');
  if (shape.write && !isUuid(headers.get('idempotency-key') ?? '')) fail('idempotency_key_malformed');
  if (shape.token) {
    const token = headers.get('txn-token') ?? '';
    if (token.length > MAX_TOKEN_LENGTH || !JWS.test(token)) fail('token_malformed');
  }
}

function assertTimes({ created, expires }: Params, nowMs: number): void {
  // `!(a <= b)` so that a NaN clock refuses.
  if (!(expires > created && expires - created <= MAX_LIFETIME_S)) fail('lifetime_wrong');
  if (!(created * 1000 <= nowMs + MAX_SKEW_MS)) fail('created_in_future');
  if (!(nowMs <= expires * 1000)) fail('expired');
}

function single(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  try {
    return readSingleHeaders(rawHeaders);
  } catch (cause) {
    return fail('duplicate_header', cause);
  }
}

function target(raw: string) {
  try {
    return parseTarget(raw);
  } catch (cause) {
    return fail(
      cause instanceof DispatchError ? (cause.detail ?? 'target_malformed') : 'target_malformed',
      cause,
    );
  }
}
