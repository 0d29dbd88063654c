import { SERVICES, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createTokenVerifier, type TimedKey, type TokenVerifier } from '@deadlatch/signing';
import { asItCounted, type DatedKey } from './key-times.ts';

/** All that a verifier believes in: public keys with their history, each for one purpose. */
export interface TrailTrust {
  readonly environment: string;
  /** sign requests */
  readonly services: readonly (DatedKey & { readonly service: string })[];
  /** With which `identity` signs user tokens. */
  readonly tokenKeys: readonly DatedKey[];
  /** Who may speak for the operator. */
  readonly operators: readonly DatedKey[];
}

/** Trust that was read once, for many events. */
export interface ReadTrust {
  readonly environment: string;
  readonly services: ReadonlyMap<string, TimedKey & { readonly service: ServiceName | undefined }>;
  readonly operators: ReadonlyMap<string, TimedKey>;
  /** Tokens for `dispatch-api`, by the keys that counted at the time. */
  readonly verifyToken: TokenVerifier;
}

/** @throws DispatchError `unavailable` for a key that is none */
export function readTrust({ environment, services, tokenKeys, operators }: TrailTrust): ReadTrust {
  const tokens = tokenKeys.map(asItCounted);
  return {
    environment,
    services: new Map(
      services.map((key) => {
        const service = SERVICES.find((known) => known === key.service);
        return [key.keyid, { ...asItCounted(key), service }];
      }),
    ),
    operators: new Map(operators.map((key) => [key.keyid, asItCounted(key)])),
    verifyToken: createTokenVerifier({
      keys: () => tokens,
      issuer: spiffeId(environment, 'identity'),
      audience: spiffeId(environment, 'dispatch-api'),
    }),
  };
}
