export * from './base64url.ts';
export { canonicalJson } from './canonical-json.ts';
export * from './digests.ts';
export * from './grants.ts';
export * from './keys.ts';
export * from './raw-headers.ts';
export * from './receipt.ts';
export {
  componentsOf,
  JWS,
  MAX_LIFETIME_S,
  MAX_SKEW_MS,
  MAX_TOKEN_LENGTH,
  type RequestShape,
} from './request-profile.ts';
export * from './request-target.ts';
export * from './sealed-box.ts';
export * from './sign-request.ts';
export * from './txn-token.ts';
export * from './verify-request.ts';
