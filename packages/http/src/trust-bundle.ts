import { SERVICES } from '@deadlatch/catalogue';
import { type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { type NamedPublicKey, type PinnedKey, publicKeyFromX, thumbprintOfX } from '@deadlatch/signing';
import { ConfigError } from './read-env.ts';

/** The public half of all keys, as the supervisor wrote it into a service's key directory. */
export interface TrustBundle {
  readonly environment: string;
  readonly services: readonly PinnedKey[];
  /** signs grants; `dispatch-api` */
  readonly grantKey: NamedPublicKey;
  /** signs transaction tokens; `identity` */
  readonly tokenKey: NamedPublicKey;
  /** base64url X25519 point that inbound messages are sealed to; `vault` */
  readonly inboxX: string;
  /** the Merkle log of this environment: its name, and its note key as a line */
  readonly log: { readonly origin: string; readonly key: string };
  /** who must have cosigned a checkpoint: how many, of which note keys */
  readonly witnesses: { readonly quorum: number; readonly keys: readonly string[] };
}

type Members = Readonly<Record<string, JsonValue>>;

/**
 * Reads a trust bundle. Every thumbprint is computed again from its key: a bundle that names a key wrongly is refused.
 * @throws ConfigError when anything in it is not as it must be
 */
export function parseTrustBundle(bytes: Uint8Array): TrustBundle {
  try {
    const bundle = members(parseStrictJson(bytes));
    const services = bundle.services;
    if (!Array.isArray(services)) return wrong('services');
    const pinned = services.map((entry) => pinnedKey(members(entry)));
    if (new Set(pinned.map((key) => key.keyId)).size !== pinned.length) return wrong('services');
    return {
      environment: textOf(bundle, 'environment'),
      services: pinned,
      grantKey: namedKey(members(bundle.grant_key)),
      tokenKey: namedKey(members(bundle.token_key)),
      inboxX: textOf(members(bundle.inbox_key), 'x'),
      log: { origin: textOf(members(bundle.log), 'origin'), key: textOf(members(bundle.log), 'key') },
      witnesses: witnessesOf(members(bundle.witnesses)),
    };
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    return wrong('content');
  }
}

function wrong(member: string): never {
  throw new ConfigError([`the trust bundle is not valid (${member})`]);
}

function members(value: JsonValue | undefined): Members {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return wrong('shape');
  return value;
}

function textOf(value: Members, name: string): string {
  const found = Object.hasOwn(value, name) ? value[name] : undefined;
  return typeof found === 'string' && found !== '' ? found : wrong(name);
}

/** The lines are read where notes are: a policy that asks for nobody must not get that far. */
function witnessesOf(value: Members): TrustBundle['witnesses'] {
  const { quorum, keys } = value;
  if (typeof quorum !== 'number' || !(quorum >= 1) || !Array.isArray(keys)) return wrong('witnesses');
  const lines = keys.map((line) => (typeof line === 'string' && line !== '' ? line : wrong('witnesses')));
  return { quorum, keys: lines };
}

function namedKey(value: Members): NamedPublicKey {
  const keyId = textOf(value, 'keyid');
  const x = textOf(value, 'x');
  if (thumbprintOfX(x) !== keyId) return wrong('keyid');
  return { keyId, publicKey: publicKeyFromX(x) };
}

function pinnedKey(value: Members): PinnedKey {
  const service = textOf(value, 'service');
  const notBefore = Date.parse(textOf(value, 'from'));
  const notAfter = Date.parse(textOf(value, 'until'));
  if (!SERVICES.some((known) => known === service)) return wrong('service');
  if (!(notBefore < notAfter)) return wrong('from, until');
  return { ...namedKey(value), service, notBefore, notAfter, revokedAt: null };
}
