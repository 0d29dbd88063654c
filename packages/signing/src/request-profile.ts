import { refuse } from '@deadlatch/kernel';

/** Which of the four exact shapes a request has. There is no fifth. */
export interface RequestShape {
  /** POST with a body, a content type and an idempotency key; otherwise GET without any of them */
  readonly write: boolean;
  /** carries a user's transaction token */
  readonly token: boolean;
  /** of a write's body; JSON unless told. Only what a protocol of others prescribes is plain text. */
  readonly contentType?: 'text/plain';
}

export const TAG = 'deadlatch-request';
export const MAX_LIFETIME_S = 60;
/** How far a sender's clock may run ahead. */
export const MAX_SKEW_MS = 5_000;
export const CONTENT_TYPE = 'application/json';

export const JWS = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}$/;
/** A token of ours is under 1.5 kB; room for growth, none for a parser's bad day. */
export const MAX_TOKEN_LENGTH = 4_096;

/** The covered components of a shape, in the one order. */
export function componentsOf(shape: RequestShape): readonly string[] {
  return [
    '@method',
    '@path',
    '@query',
    ...(shape.write ? ['content-type'] : []),
    'content-digest',
    ...(shape.write ? ['idempotency-key'] : []),
    ...(shape.token ? ['txn-token'] : []),
  ];
}

/** `("@method" …)` as it stands in Signature-Input. */
export function innerListOf(shape: RequestShape): string {
  return `(${componentsOf(shape)
    .map((name) => `"${name}"`)
    .join(' ')})`;
}

/**
 * The signature base: one line per component, then the parameters exactly as they were sent.
 * @param values of the components; one that is missing is refused, an empty string is not a value
 * @throws DispatchError `unauthenticated`
 * @source RFC 9421 section 2.5
 */
export function signatureBase(
  shape: RequestShape,
  values: ReadonlyMap<string, string>,
  signatureParams: string,
): string {
  const lines = componentsOf(shape).map((name) => {
    const value = values.get(name);
    if (!value) refuse('unauthenticated', { detail: 'component_missing' });
    return `"${name}": ${value}`;
  });
  return [...lines, `"@signature-params": ${signatureParams}`].join('\n');
}
