import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatNoteKey, logOrigin, type NoteKeyKind, noteKey } from '@deadlatch/audit-log';
import type { ServiceName } from '@deadlatch/catalogue';
import { generateSigningKeyPem, loadSigningKey, publicX } from '@deadlatch/signing';
import { readDocument, writeWhole } from './state-dir.ts';

/** Services that sign requests. `agent` and `simulator` hold no signing key at all. */
export const SIGNERS = [
  'gateway',
  'identity',
  'vault',
  'tool-bridge',
  'dispatch-api',
  'worker',
  'sequencer',
  'witness',
  'web',
  'cli',
] as const satisfies readonly ServiceName[];

/** A key lives this long unless it is rotated before. */
export const KEY_LIFETIME_MS = 365 * 24 * 60 * 60 * 1000;

/** A public key and when it counts. Times are RFC 3339. */
export interface KeyEntry {
  readonly keyid: string;
  readonly x: string;
  readonly from: string;
  readonly until: string;
  readonly revoked_at?: string;
}

export interface PublicKeyEntry extends KeyEntry {
  readonly service: string;
}

/**
 * The public half of all keys: what every process may know. What is over stays in it: what was signed with a key is
 * verified with it for as long as the trail is kept.
 */
export interface Trust {
  readonly environment: string;
  readonly services: readonly PublicKeyEntry[];
  readonly grant_keys: readonly KeyEntry[];
  readonly token_keys: readonly KeyEntry[];
  readonly inbox_key: { readonly x: string };
  /** Which log the events are in, and the line of its note key. */
  readonly log: { readonly origin: string; readonly key: string };
  /** How many of which witnesses must have cosigned a checkpoint, by the lines of their keys. */
  readonly witnesses: { readonly quorum: number; readonly keys: readonly string[] };
  /** Who may speak for the operator: every event of origin `operator` is signed by one of them. */
  readonly operators: readonly OperatorKeyEntry[];
}

export interface OperatorKeyEntry extends KeyEntry {
  readonly name: string;
}

/** A person with a key of their own. */
export interface KeyHolder {
  readonly name: string;
  /** where the key is kept; made there when it is missing */
  readonly file: string;
}

/** Files of 32 random bytes or an Ed25519 key, by service. */
const EXTRA: Readonly<Record<string, readonly [file: string, kind: 'ed25519' | 'x25519' | 'random'][]>> = {
  'dispatch-api': [
    ['grant.pem', 'ed25519'],
    ['link.key', 'random'],
    ['fingerprint.key', 'random'],
    ['upload.key', 'random'],
  ],
  identity: [
    ['token.pem', 'ed25519'],
    ['code.key', 'random'],
  ],
  vault: [
    ['kek.key', 'random'],
    ['index.key', 'random'],
    ['inbox.pem', 'x25519'],
  ],
  sequencer: [['log.pem', 'ed25519']],
  witness: [['witness.pem', 'ed25519']],
  cli: [['operator.pem', 'ed25519']],
};

/** The folder one service may read; nobody else's. */
export function keyDirectory(keysRoot: string, service: ServiceName): string {
  return join(keysRoot, service);
}

/**
 * Creates every key that is missing, each in its service's own folder, and the public bundle.
 * Existing keys are never replaced.
 * @param environment part of every identity, so a key of one environment never matches in another
 * @param people who may accept a restored backup, and where the key of each is kept
 */
export async function ensureKeys(
  keysRoot: string,
  environment: string,
  services: readonly ServiceName[],
  now: number,
  people: readonly KeyHolder[] = [],
): Promise<Trust> {
  for (const service of new Set<ServiceName>([...services, ...SIGNERS])) {
    const dir = keyDirectory(keysRoot, service);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (SIGNERS.some((s) => s === service)) await once(join(dir, 'signing.pem'), generateSigningKeyPem);
    for (const [file, kind] of EXTRA[service] ?? []) await once(join(dir, file), () => generate(kind));
  }
  const shared = await once(join(keysRoot, 'carrier-token'), () => generate('random'));
  for (const end of services.filter((name) => name === 'gateway' || name === 'simulator')) {
    await once(join(keyDirectory(keysRoot, end), 'twilio-auth-token'), () => shared);
  }

  const bundlePath = join(keysRoot, 'trust.json');
  const known = existsSync(bundlePath) ? await readDocument<Partial<Trust> & UntimedTrust>(bundlePath) : {};
  const bundle = withPeople(
    completed(known, await publicBundle(keysRoot, environment, now)),
    await Promise.all(
      people.map(async ({ name, file }) => ({ name, pem: await once(file, generateSigningKeyPem) })),
    ),
    now,
  );
  const content = `${JSON.stringify(bundle, null, 2)}\n`;
  // Only what differs: a command that changes keys at this moment writes them too.
  for (const path of [
    bundlePath,
    ...services.map((name) => join(keyDirectory(keysRoot, name), 'trust.json')),
  ]) {
    if ((await readFile(path, 'utf8').catch(() => '')) !== content) await writeWhole(path, content, 0o644);
  }
  return bundle;
}

/** Pins the keys of people that are not pinned yet. */
function withPeople(
  trust: Trust,
  people: readonly { readonly name: string; readonly pem: string }[],
  now: number,
): Trust {
  const added = people
    .map(({ name, pem }) => ({ name, ...publicOf(pem) }))
    .filter(({ keyid }) => !trust.operators.some((known) => known.keyid === keyid))
    .map((entry) => ({ ...entry, ...lifetime(now) }));
  return { ...trust, operators: [...trust.operators, ...added] };
}

function publicOf(pem: string): { readonly keyid: string; readonly x: string } {
  const pair = loadSigningKey(pem);
  return { keyid: pair.keyId, x: publicX(pair.publicKey) };
}

function lifetime(now: number): { readonly from: string; readonly until: string } {
  return {
    from: new Date(now - 60_000).toISOString(),
    until: new Date(now + KEY_LIFETIME_MS).toISOString(),
  };
}

/** A bundle of a version that pinned one key for each purpose, without times. */
interface UntimedTrust {
  readonly grant_key?: { readonly keyid: string; readonly x: string };
  readonly token_key?: { readonly keyid: string; readonly x: string };
}

/** What is pinned stays as it is; what a newer version added is filled in. */
function completed(known: Partial<Trust> & UntimedTrust, fresh: Trust): Trust {
  const { grant_key, token_key, ...rest } = known;
  const services = known.services ?? [];
  const added = fresh.services.filter(({ service }) => !services.some((key) => key.service === service));
  // It was in use since there were keys at all.
  const since = services.map(({ from }) => from).sort()[0];
  const dated = (key: UntimedTrust['grant_key'], [entry]: readonly KeyEntry[]): readonly KeyEntry[] =>
    entry === undefined ? [] : [{ ...entry, ...key, from: since ?? entry.from }];
  return {
    ...fresh,
    ...(grant_key && { grant_keys: dated(grant_key, fresh.grant_keys) }),
    ...(token_key && { token_keys: dated(token_key, fresh.token_keys) }),
    ...rest,
    services: [...services, ...added],
  };
}

async function publicBundle(keysRoot: string, environment: string, now: number): Promise<Trust> {
  const publicPart = async (service: ServiceName, file: string) =>
    publicOf(await readFile(join(keyDirectory(keysRoot, service), file), 'utf8'));
  const noteKeyLine = async (kind: NoteKeyKind, name: string, service: ServiceName, file: string) => {
    const pair = loadSigningKey(await readFile(join(keyDirectory(keysRoot, service), file), 'utf8'));
    return formatNoteKey(noteKey(kind, name, pair.publicKey));
  };
  const origin = logOrigin(environment);
  const { from, until } = lifetime(now);
  const services: PublicKeyEntry[] = [];
  for (const service of SIGNERS) {
    services.push({ service, ...(await publicPart(service, 'signing.pem')), from, until });
  }
  return {
    environment,
    services,
    grant_keys: [{ ...(await publicPart('dispatch-api', 'grant.pem')), from, until }],
    token_keys: [{ ...(await publicPart('identity', 'token.pem')), from, until }],
    inbox_key: { x: await inboxPublicKey(keysRoot) },
    log: { origin, key: await noteKeyLine('log', origin, 'sequencer', 'log.pem') },
    witnesses: {
      quorum: 1,
      keys: [await noteKeyLine('witness', `${environment}.deadlatch/witness`, 'witness', 'witness.pem')],
    },
    operators: [{ name: 'cli', ...(await publicPart('cli', 'operator.pem')), from, until }],
  };
}

async function inboxPublicKey(keysRoot: string): Promise<string> {
  const pem = await readFile(join(keyDirectory(keysRoot, 'vault'), 'inbox.pem'), 'utf8');
  return createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' }).x ?? '';
}

/** Writes a secret file if there is none; answers what it holds. */
export async function once(path: string, make: () => string): Promise<string> {
  if (!existsSync(path)) await writeWhole(path, make(), 0o600);
  return readFile(path, 'utf8');
}

function generate(kind: 'ed25519' | 'x25519' | 'random'): string {
  if (kind === 'ed25519') return generateSigningKeyPem();
  if (kind === 'random') return randomBytes(32).toString('base64url');
  return generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
}
