import { SERVICES } from '@deadlatch/catalogue';
import { type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { type PinnedKey, publicKeyFromX, type TimedKey, thumbprintOfX } from '@deadlatch/signing';
import { ConfigError } from './read-env.ts';

/** The public half of all keys, as the supervisor wrote it into a service's key directory. */
export interface TrustBundle {
  readonly environment: string;
  readonly services: readonly PinnedKey[];
  /** sign grants and receipts; `dispatch-api`; several while one replaces the other */
  readonly grantKeys: readonly TimedKey[];
  /** sign transaction tokens; `identity` */
  readonly tokenKeys: readonly TimedKey[];
  /** base64url X25519 point that inbound messages are sealed to; `vault` */
  readonly inboxX: string;
  /** the Merkle log of this environment: its name, and its note key as a line */
  readonly log: { readonly origin: string; readonly key: string };
  /** who must have cosigned a checkpoint: how many, of which note keys */
  readonly witnesses: { readonly quorum: number; readonly keys: readonly string[] };
  /** people, and the machine itself, who may speak for the operator */
  readonly operators: readonly OperatorKey[];
}

export interface OperatorKey extends TimedKey {
  readonly name: string;
}

type Members = Readonly<Record<string, JsonValue>>;

/**
 * Reads a trust bundle. Every thumbprint is computed again from its key: a bundle that names a key wrongly is refused.
 * @throws ConfigError when anything in it is not as it must be
 * @invariant each key is there once, so that it has one service and one purpose
 * @source T4.2
 */
export function parseTrustBundle(bytes: Uint8Array): TrustBundle {
  try {
    const bundle = members(parseStrictJson(bytes));
    const services = listOf(bundle.services, 'services').map(pinnedKey);
    const grantKeys = listOf(bundle.grant_keys, 'grant_keys').map(timedKey);
    const tokenKeys = listOf(bundle.token_keys, 'token_keys').map(timedKey);
    if (grantKeys.length === 0 || tokenKeys.length === 0) return wrong('grant_keys, token_keys');
    const everyKey = [...services, ...grantKeys, ...tokenKeys];
    if (new Set(everyKey.map((key) => key.keyId)).size !== everyKey.length) return wrong('a key twice');
    return {
      environment: textOf(bundle, 'environment'),
      services,
      grantKeys,
      tokenKeys,
      inboxX: textOf(members(bundle.inbox_key), 'x'),
      log: { origin: textOf(members(bundle.log), 'origin'), key: textOf(members(bundle.log), 'key') },
      witnesses: witnessesOf(members(bundle.witnesses)),
      // Absent: nobody.
      operators: bundle.operators === undefined ? [] : listOf(bundle.operators, 'operators').map(operatorKey),
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

function listOf(value: JsonValue | undefined, name: string): readonly Members[] {
  return Array.isArray(value) ? value.map(members) : wrong(name);
}

function timedKey(value: Members): TimedKey {
  const keyId = textOf(value, 'keyid');
  const x = textOf(value, 'x');
  if (thumbprintOfX(x) !== keyId) return wrong('keyid');
  const notBefore = Date.parse(textOf(value, 'from'));
  const notAfter = Date.parse(textOf(value, 'until'));
  if (!(notBefore < notAfter)) return wrong('from, until');
  const revokedAt = Object.hasOwn(value, 'revoked_at') ? Date.parse(textOf(value, 'revoked_at')) : null;
  if (Number.isNaN(revokedAt)) return wrong('revoked_at');
  return { keyId, publicKey: publicKeyFromX(x), notBefore, notAfter, revokedAt };
}

function operatorKey(value: Members): OperatorKey {
  return { ...timedKey(value), name: textOf(value, 'name') };
}

function pinnedKey(value: Members): PinnedKey {
  const service = textOf(value, 'service');
  if (!SERVICES.some((known) => known === service)) return wrong('service');
  return { ...timedKey(value), service };
}
