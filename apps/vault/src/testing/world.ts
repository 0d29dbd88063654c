import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { formatNoteKey, logOrigin, noteKey } from '@deadlatch/audit-log';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { Secret } from '@deadlatch/http';
import { createIdMaker, type JsonValue } from '@deadlatch/kernel';
import { createPool, OWNER_ROLE, type Pool } from '@deadlatch/postgres';
import {
  canonicalJson,
  generateInboxKeyPem,
  generateSigningKeyPem,
  loadInboxKey,
  loadSigningKey,
  publicX,
  type RevealGrant,
  type ServiceKeyPair,
  sealTo,
  signGrant,
  signRequest,
  withoutEnd,
} from '@deadlatch/signing';
import { compose } from '../compose.ts';
import { createFileKeyWrapper } from '../crypto/key-wrapper.ts';
import { createKeyedDigests } from '../crypto/keyed-digests.ts';
import { enrol } from '../enrol.ts';

export const ENVIRONMENT = 'test';
const SIGNERS: readonly ServiceName[] = [
  'gateway',
  'identity',
  'web',
  'cli',
  'tool-bridge',
  'dispatch-api',
  'worker',
];

/** What a test file brings: this folder imports nothing from outside the app. */
export interface WorldDatabase {
  readonly adminUrl: string;
  readonly urls: Readonly<Record<'vault', string>>;
  drop(): Promise<void>;
}

export interface CallOptions {
  readonly key?: ServiceKeyPair;
  readonly nonce?: string;
  readonly audience?: string;
  readonly idempotencyKey?: string;
}

export interface CallAnswer {
  readonly status: number;
  readonly body: { readonly [name: string]: JsonValue };
}

/** The vault over HTTP with a real database. */
export interface World {
  readonly tenantId: string;
  readonly admin: Pool;
  readonly grantKey: ServiceKeyPair;
  readonly log: string[];
  /** Moves the vault's clock. */
  readonly clock: { offsetMs: number };
  /** Makes the trust bundle unreadable while set. */
  readonly trust: { broken: boolean };
  call(service: ServiceName, path: string, body: object, options?: CallOptions): Promise<CallAnswer>;
  /** Posts an inbound text message as the gateway does. */
  receive(from: string, body: string, providerId?: string): Promise<CallAnswer>;
  enrol(input: object): Promise<number>;
  grant(claims: Partial<RevealGrant>, key?: ServiceKeyPair): string;
  events(): Promise<readonly { command: string; decision: string; body: string }[]>;
  /** Ends vault alone, in good order; what it left behind can be looked at. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(options: {
  readonly database: WorldDatabase;
  readonly tenantId: string;
}): Promise<World> {
  const { database, tenantId } = options;
  const admin = createPool({ url: database.adminUrl, applicationName: 'test', maxConnections: 2 });
  const newKey = () => loadSigningKey(generateSigningKeyPem());
  const newId = createIdMaker(Date.now, randomBytes);
  const keys = new Map(SIGNERS.map((service) => [service, newKey()]));
  for (const [service, key] of keys) await pinKey(admin, tenantId, service, key);
  const grantKey = newKey();
  const inbox = loadInboxKey(generateInboxKeyPem());
  const [keyEncryptionKey, indexKey] = [randomBytes(32), randomBytes(32)];
  const clock = { offsetMs: 0 };
  const trust = { broken: false };
  const log: string[] = [];
  const origin = logOrigin(ENVIRONMENT);
  const logTrust = {
    log: { origin, key: formatNoteKey(noteKey('log', origin, newKey().publicKey)) },
    witnesses: { quorum: 1, keys: [formatNoteKey(noteKey('witness', 'witness', newKey().publicKey))] },
  };
  const signingKey = newKey();
  const vault = await compose(
    {
      environment: ENVIRONMENT,
      tenantId,
      host: '127.0.0.1',
      port: 0,
      mtls: 'mesh',
      keyDirectory: '',
      logLevel: 'debug',
      otlpEndpoint: null,
      databaseUrl: new Secret(database.urls.vault),
      keyEncryptionKey,
      indexKey,
      inboxKey: inbox.privateKey,
      grantKeys: () => {
        if (trust.broken) throw new Error('no trust bundle');
        return [withoutEnd(grantKey)];
      },
      signingKey: { purpose: 'signing', read: () => signingKey, pins: () => [withoutEnd(signingKey)] },
      witnessUrl: 'http://127.0.0.1:1',
      trust: () => ({ ...logTrust, grantKeys: [withoutEnd(grantKey)] }),
    },
    {
      now: () => Date.now() + clock.offsetMs,
      random: randomBytes,
      fetch,
      writeLog: (line) => log.push(line),
    },
  );
  await vault.app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(vault.app.server.address() as AddressInfo).port}`;
  const call: World['call'] = (service, path, body, given = {}) =>
    signedCall(url, path, body, { ...given, key: given.key ?? keys.get(service) ?? newKey() });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= vault.close());
  return {
    tenantId,
    admin,
    grantKey,
    log,
    clock,
    trust,
    call,
    receive: (from, body, providerId = `SM${randomBytes(16).toString('hex')}`) => {
      const letter = { from, to: '+15125550000', body, received_at: new Date().toISOString() };
      const sealed = sealTo(inbox.x, Buffer.from(JSON.stringify(letter)), randomBytes);
      return call('gateway', '/v1/inbound', {
        provider_id: providerId,
        sealed: sealed.toString('base64url'),
      });
    },
    enrol: (input) => enrolInto(database, input, { tenantId, keyEncryptionKey, indexKey, newId }),
    grant: (claims, key = grantKey) => signGrant('reveal', { ...baseGrant(tenantId), ...claims }, key),
    events: async () => {
      const { rows } = await admin.query<{ command: string; decision: string; body: string }>(
        `select command, decision, convert_from(body, 'UTF8') as body
           from audit.events where origin = 'vault' order by at, id`,
      );
      return rows;
    },
    stop,
    close: async () => {
      await stop();
      await admin.end();
      await database.drop();
    },
  };
}

function baseGrant(tenantId: string): RevealGrant {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: spiffeId(ENVIRONMENT, 'dispatch-api'),
    aud: spiffeId(ENVIRONMENT, 'vault'),
    iat,
    exp: iat + 120,
    jti: randomUUID(),
    tenant: tenantId,
    contact: randomUUID(),
    fields: ['phone'],
    purpose: 'delivery',
    ref: randomUUID(),
    holder: spiffeId(ENVIRONMENT, 'gateway'),
    correlation_id: randomUUID(),
  };
}

async function enrolInto(
  database: WorldDatabase,
  input: object,
  at: {
    readonly tenantId: string;
    readonly keyEncryptionKey: Uint8Array;
    readonly indexKey: Uint8Array;
    readonly newId: () => string;
  },
): Promise<number> {
  const pool = createPool({ url: database.urls.vault, applicationName: 'test enrol', maxConnections: 1 });
  try {
    return await enrol(Buffer.from(JSON.stringify(input)), {
      pool,
      environment: ENVIRONMENT,
      tenantId: at.tenantId,
      keyWrapper: createFileKeyWrapper(at.keyEncryptionKey),
      digests: createKeyedDigests(at.indexKey),
      now: Date.now,
      newId: at.newId,
      random: randomBytes,
    });
  } finally {
    await pool.end();
  }
}

/** Pins a key through the administrator's function. */
async function pinKey(
  admin: Pool,
  tenantId: string,
  service: ServiceName,
  key: ServiceKeyPair,
): Promise<void> {
  const input = {
    tenant_id: tenantId,
    event: { id: randomUUID(), correlation_id: randomUUID(), body: canonicalJson({ v: 1 }) },
    keyid: key.keyId,
    service,
    environment: ENVIRONMENT,
    x: publicX(key.publicKey),
    not_before: new Date(Date.now() - 60_000).toISOString(),
    not_after: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const client = await admin.connect();
  try {
    await client.query(`set role ${OWNER_ROLE}`);
    await client.query('select trust.put_service_key($1::jsonb)', [JSON.stringify(input)]);
  } finally {
    await client.query('reset role');
    client.release();
  }
}

async function signedCall(
  url: string,
  path: string,
  body: object,
  options: CallOptions & { readonly key: ServiceKeyPair },
): Promise<CallAnswer> {
  const bytes = Buffer.from(JSON.stringify(body));
  const headers = signRequest({
    method: 'POST',
    target: path,
    body: bytes,
    shape: { write: true, token: false },
    idempotencyKey: options.idempotencyKey ?? randomUUID(),
    key: options.key,
    audience: options.audience ?? spiffeId(ENVIRONMENT, 'vault'),
    now: Date.now(),
    lifetimeS: 60,
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
  });
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: bytes });
  return { status: response.status, body: (await response.json()) as CallAnswer['body'] };
}
