import { sign, verify } from 'node:crypto';
import { type JsonValue, parseStrictJson, refuse } from '@deadlatch/kernel';
import { fromBase64url, toBase64url } from './base64url.ts';
import { canonicalJson } from './canonical-json.ts';
import type { NamedPublicKey, ServiceKeyPair } from './keys.ts';
import { JWS } from './request-profile.ts';

export type JsonObject = { readonly [key: string]: JsonValue };

const fail = (detail: string, cause?: unknown): never => refuse('unauthenticated', { detail, cause });

/** Signs claims as a compact JWS with the one header `{alg: EdDSA, kid, typ}`. @source RFC 7515, RFC 8037 */
export function signCompact(typ: string, claims: unknown, key: ServiceKeyPair): string {
  const header = canonicalJson({ alg: 'EdDSA', kid: key.keyId, typ });
  const input = `${toBase64url(Buffer.from(header))}.${toBase64url(Buffer.from(canonicalJson(claims)))}`;
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

/**
 * The claims of a compact JWS of exactly this type, and the name of the key that signed it: one that `findKey` knows.
 * @param findKey knows the keys of this one purpose, and throws for every other name
 * @throws DispatchError `unauthenticated`; whatever `findKey` throws
 * @invariant no part of the token chooses how it is verified: algorithm and type are the caller's, and its `kid`
 *   only picks among keys that the caller has pinned for this purpose
 * @source RFC 8725 sections 3.1, 3.2, 3.11
 */
export function verifyCompact(
  typ: string,
  token: string,
  findKey: (keyId: string) => NamedPublicKey,
  maxLength: number,
): { readonly claims: JsonObject; readonly keyId: string } {
  if (token.length > maxLength || !JWS.test(token)) return fail('token_malformed');
  const [head = '', payload = '', tail = ''] = token.split('.');
  const header = decodeObject(head);
  const { alg, kid, typ: type } = header;
  const isExact = Object.keys(header).length === 3 && alg === 'EdDSA' && type === typ;
  if (!isExact || typeof kid !== 'string') return fail('token_header_wrong');
  const key = findKey(kid);
  const signature = fromBase64url(tail);
  if (signature?.byteLength !== 64) return fail('token_signature_malformed');
  if (key.publicKey.asymmetricKeyType !== 'ed25519') return fail('key_of_wrong_kind');
  if (!verify(null, Buffer.from(`${head}.${payload}`), key.publicKey, signature)) {
    return fail('token_signature_wrong');
  }
  return { claims: decodeObject(payload), keyId: kid };
}

function decodeObject(part: string): JsonObject {
  const bytes = fromBase64url(part) ?? fail('token_base64_malformed');
  let value: JsonValue;
  try {
    value = parseStrictJson(bytes);
  } catch (cause) {
    return fail('token_json_malformed', cause);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return fail('token_json_malformed');
  return value;
}
