import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { formatNoteKey, logOrigin, noteKey } from '@deadlatch/audit-log';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { Secret } from '@deadlatch/http';
import { createIdMaker, type JsonValue } from '@deadlatch/kernel';
import { createPool, OWNER_ROLE, type Pool } from '@deadlatch/postgres';
import {
  canonicalJson,
  generateSigningKeyPem,
  loadSigningKey,
  publicX,
  type ServiceKeyPair,
  signRequest,
  withoutEnd,
} from '@deadlatch/signing';
import type { FastifyInstance } from 'fastify';
import type { SMTPServer } from 'smtp-server';
import { createCeremonySecrets } from '../approval/secrets.ts';
import { compose } from '../compose.ts';
import { enrolAddresses } from '../enrol-addresses.ts';
import { hashLinkSecret } from '../link-secret.ts';
import { type MailSink, startMailSink } from './mail-sink.ts';
import {
  ENVIRONMENT,
  type SmallDispatchApi,
  type SmallVault,
  startDispatchApi,
  startVault,
} from './peers.ts';

export const ORIGIN = 'http://localhost:4320';

/** A migrated database of the test's own. */
export interface WorldDatabase {
  readonly adminUrl: string;
  readonly urls: Readonly<Record<'identity' | 'demo', string>>;
  drop(): Promise<void>;
}

export interface WorldTenant {
  readonly tenantId: string;
  readonly contacts: { readonly maria: string };
  readonly staff: { readonly dana: string };
}

/** What a test file brings: this folder imports nothing from outside the app. */
export interface WorldParts {
  readonly database: WorldDatabase;
  readonly seedTenant: (adminUrl: string) => Promise<WorldTenant>;
  readonly SMTPServer: typeof SMTPServer;
  /** For a real browser, which says itself where it is; any port, and an origin that nobody looks at, otherwise. */
  readonly port?: number;
}

/** identity over HTTP, with a real database, a real mail server, and small real peers. */
export interface World {
  /** Where browsers find it. */
  readonly url: string;
  /** Where services find it. */
  readonly internalUrl: string;
  readonly database: WorldDatabase;
  /** The administrator, for looking and for ageing rows. */
  readonly admin: Pool;
  readonly tenant: WorldTenant;
  readonly dispatchApi: SmallDispatchApi;
  readonly vault: SmallVault;
  readonly mail: MailSink;
  readonly grantKey: ServiceKeyPair;
  readonly tokenKey: ServiceKeyPair;
  readonly keys: ReadonlyMap<ServiceName, ServiceKeyPair>;
  readonly log: string[];
  /** Moves identity's clock. */
  readonly clock: { offsetMs: number };
  /** A signed call of a service. */
  call(service: ServiceName, path: string, body: object, options?: CallOptions): Promise<CallAnswer>;
  /** Puts a one-use sign-in link on file under the demo role; answers its secret. */
  issueLink(subject: string, label?: string): Promise<string>;
  enrol(contactId: string, email: string): Promise<void>;
  /** Audit events of identity, oldest first. */
  events(): Promise<readonly { command: string; actor: string; decision: string; body: string }[]>;
  /** Ends identity alone, in good order; what it left behind can be looked at. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface CallOptions {
  /** Signs with this key instead of the service's own. */
  readonly key?: ServiceKeyPair;
  readonly nonce?: string;
  readonly audience?: string;
}

export interface CallAnswer {
  readonly status: number;
  readonly body: { readonly [name: string]: JsonValue };
}

const SIGNERS: readonly ServiceName[] = [
  'web',
  'cli',
  'tool-bridge',
  'gateway',
  'worker',
  'vault',
  'dispatch-api',
  'identity',
];

export async function startWorld(parts: WorldParts): Promise<World> {
  const { database, seedTenant } = parts;
  const tenant = await seedTenant(database.adminUrl);
  const admin = poolOf(database.adminUrl, 2);
  const newKey = () => loadSigningKey(generateSigningKeyPem());
  const keys = new Map(SIGNERS.map((service) => [service, newKey()]));
  for (const [service, key] of keys) await pinKey(admin, tenant.tenantId, service, key);
  const [grantKey, tokenKey, identityKey] = [newKey(), newKey(), keyOf(keys, 'identity')];
  const peers = { tenantId: tenant.tenantId, grantKey, tokenKey, identityKey };
  const dispatchApi = await startDispatchApi(peers);
  const vault = await startVault(peers);
  const mail = await startMailSink(parts.SMTPServer);
  const codeKey = randomBytes(32);
  const origin = logOrigin(ENVIRONMENT);
  const logTrust = {
    log: { origin, key: formatNoteKey(noteKey('log', origin, newKey().publicKey)) },
    witnesses: { quorum: 1, keys: [formatNoteKey(noteKey('witness', 'witness', newKey().publicKey))] },
  };
  const clock = { offsetMs: 0 };
  const log: string[] = [];
  const now = () => Date.now() + clock.offsetMs;
  const identity = await compose(
    {
      environment: ENVIRONMENT,
      tenantId: tenant.tenantId,
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      mtls: 'mesh',
      keyDirectory: '',
      logLevel: 'debug',
      otlpEndpoint: null,
      publicOrigin: parts.port === undefined ? ORIGIN : `http://localhost:${parts.port}`,
      dispatchApiUrl: dispatchApi.url,
      vaultUrl: vault.url,
      witnessUrl: 'http://127.0.0.1:1',
      smtpSender: 'approvals@deadlatch.example',
      smtpUrl: new Secret(mail.url),
      databaseUrl: new Secret(database.urls.identity),
      signingKey: { purpose: 'signing', read: () => identityKey, pins: () => [withoutEnd(identityKey)] },
      tokenKey: { purpose: 'token', read: () => tokenKey, pins: () => [withoutEnd(tokenKey)] },
      codeKey,
      grantKeys: () => [withoutEnd(grantKey)],
      trust: () => ({ ...logTrust, grantKeys: [withoutEnd(grantKey)] }),
    },
    { now, random: randomBytes, fetch: globalThis.fetch, writeLog: (line) => log.push(line) },
  );
  const listen = async (app: FastifyInstance, port: number) => {
    await app.listen({ host: '127.0.0.1', port });
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  };
  const url = await listen(identity.pages, parts.port ?? 0);
  const internalUrl = await listen(identity.services, 0);
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= identity.close());
  return {
    url,
    internalUrl,
    database,
    admin,
    tenant,
    dispatchApi,
    vault,
    mail,
    grantKey,
    tokenKey,
    keys,
    log,
    clock,
    call: (service, path, body, options = {}) =>
      signedCall(internalUrl, path, body, { ...options, key: options.key ?? keyOf(keys, service) }),
    issueLink: (subject, label) => issueLink(database, tenant.tenantId, subject, label ?? 'Somebody'),
    enrol: async (contactId, email) => {
      vault.emails.set(contactId, email);
      await enrol(database, tenant.tenantId, codeKey, contactId, email);
    },
    events: () => identityEvents(admin),
    stop,
    close: async () => {
      await stop();
      await Promise.all([dispatchApi.close(), vault.close(), mail.close()]);
      await admin.end();
      await database.drop();
    },
  };
}

function poolOf(url: string, maxConnections: number): Pool {
  return createPool({ url, applicationName: 'test', maxConnections });
}

function keyOf(keys: ReadonlyMap<ServiceName, ServiceKeyPair>, service: ServiceName): ServiceKeyPair {
  const key = keys.get(service);
  if (key === undefined) throw new Error(`no key for ${service}`);
  return key;
}

/** Pins a key through the administrator's function. */
export async function pinKey(
  admin: Pool,
  tenantId: string,
  service: ServiceName,
  key: ServiceKeyPair,
  environment = ENVIRONMENT,
): Promise<void> {
  const event = { id: randomUUID(), correlation_id: randomUUID(), body: canonicalJson({ v: 1 }) };
  const input = {
    tenant_id: tenantId,
    event,
    keyid: key.keyId,
    service,
    environment,
    x: publicX(key.publicKey),
    not_before: new Date(Date.now() - 60_000).toISOString(),
    not_after: new Date(Date.now() + 3_600_000).toISOString(),
  };
  await asOwner(admin, (query) => query('select trust.put_service_key($1::jsonb)', [JSON.stringify(input)]));
}

/** Revokes a key through the administrator's function. */
export async function revokeKey(admin: Pool, tenantId: string, key: ServiceKeyPair): Promise<void> {
  const event = { id: randomUUID(), correlation_id: randomUUID(), body: canonicalJson({ v: 1 }) };
  const input = JSON.stringify({ tenant_id: tenantId, event, keyid: key.keyId });
  await asOwner(admin, (query) => query('select trust.revoke_service_key($1::jsonb)', [input]));
}

/** Runs statements as the owner of all tables, on one connection. */
export async function asOwner(
  admin: Pool,
  work: (query: (text: string, values?: unknown[]) => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const client = await admin.connect();
  try {
    await client.query(`set role ${OWNER_ROLE}`);
    await work((text, values) => client.query(text, values));
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
    idempotencyKey: createIdMaker(Date.now, randomBytes)(),
    key: options.key,
    audience: options.audience ?? spiffeId(ENVIRONMENT, 'identity'),
    // The senders' clock is right, whatever identity's is; a long life lets tests move that one.
    now: Date.now(),
    lifetimeS: 60,
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
  });
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: bytes });
  return { status: response.status, body: (await response.json()) as CallAnswer['body'] };
}

async function issueLink(
  database: WorldDatabase,
  tenantId: string,
  subject: string,
  label: string,
): Promise<string> {
  const secret = randomBytes(24).toString('base64url');
  const demo = poolOf(database.urls.demo, 1);
  try {
    const client = await demo.connect();
    await client.query('begin');
    await client.query("select set_config('deadlatch.tenant', $1, true)", [tenantId]);
    await client.query(
      `insert into identity.sign_in_links (tenant_id, hash, subject, label, roles, expires_at)
       values ($1, $2, $3, $4, $5, now() + interval '1 hour')`,
      [tenantId, hashLinkSecret(secret), subject, label, ['dispatcher']],
    );
    await client.query('commit');
    client.release();
  } finally {
    await demo.end();
  }
  return secret;
}

async function enrol(
  database: WorldDatabase,
  tenantId: string,
  codeKey: Uint8Array,
  contactId: string,
  email: string,
): Promise<void> {
  const pool = poolOf(database.urls.identity, 1);
  const commitments = [{ tenant_id: tenantId, contact_id: contactId, kind: 'email', value: email }];
  try {
    await enrolAddresses(Buffer.from(JSON.stringify({ commitments })), {
      pool,
      secrets: createCeremonySecrets({ key: codeKey, random: randomBytes }),
      environment: ENVIRONMENT,
      tenantId,
      now: Date.now,
      newId: createIdMaker(Date.now, randomBytes),
    });
  } finally {
    await pool.end();
  }
}

async function identityEvents(admin: Pool) {
  const { rows } = await admin.query<{ command: string; actor: string; decision: string; body: string }>(
    `select command, actor, decision, convert_from(body, 'UTF8') as body
       from audit.events where origin = 'identity' order by at, id`,
  );
  return rows;
}
