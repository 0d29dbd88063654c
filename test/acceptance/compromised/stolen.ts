import { randomBytes, randomUUID, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  createServiceClient,
  createServiceFetch,
  openKeyDirectory,
  openTlsFiles,
  type ServiceClient,
} from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import pg from 'pg';
import type { RunFile } from '../../../apps/cli/src/run-file.ts';

/** Everything that one service's key folder holds, in the hands of whoever took the service over. */
export interface Stolen {
  /** The service's own way to a peer: its certificate and its signature, or the signature of another whose key it has. */
  to(peer: ServiceName, signer?: Stolen): ServiceClient;
  /** Where a peer listens, and a connection to it under the service's certificate. */
  connect(peer: ServiceName): { readonly url: string; readonly fetch: typeof fetch };
  readonly signingKey: ServiceKeyPair;
  readonly service: ServiceName;
  /** `ok`, or the code of the refusal. */
  outcome(work: Promise<unknown>): Promise<string>;
  /** A statement signed with one of its keys, in any form. */
  forge(file: string, typ: string, claims: object): Promise<string>;
  /** Claims of a user token as identity would mint it for this service. */
  claims(over: object): object;
  /** `ok`, or the SQLSTATE of the refusal, under the service's database role. */
  query(text: string, values?: readonly unknown[]): Promise<string>;
  rows<Row extends object>(text: string): Promise<Row[]>;
  file(name: string): Promise<string>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 8_000;

export async function steal(run: RunFile, service: ServiceName): Promise<Stolen> {
  const directory = run.services[service]?.key_dir ?? '';
  const key = openKeyDirectory(directory).signingKey();
  const file = async (name: string) => (await readFile(join(directory, name), 'utf8')).trim();
  const database = await file('database-url').then(
    (url) => new pg.Pool({ connectionString: url, max: 1 }),
    () => undefined,
  );
  const inTenant = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    if (database === undefined) throw new Error(`${service} has no database role`);
    const client = await database.connect();
    try {
      await client.query('begin');
      await client.query("select set_config('deadlatch.tenant', $1, true)", [run.tenant_id]);
      return await work(client);
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  const tls = openTlsFiles({ directory, environment: run.environment, service, now: Date.now });
  const connect = (peer: ServiceName) => {
    const { url = '', internal_url: internal } = run.services[peer] ?? {};
    const to = { tls, peer: spiffeId(run.environment, peer), fetch: globalThis.fetch };
    return { url: internal ?? url, fetch: createServiceFetch(to) };
  };
  return {
    service,
    signingKey: key,
    connect,
    to: (peer, signer) =>
      createServiceClient({
        service: signer?.service ?? service,
        key: () => signer?.signingKey ?? key,
        baseUrl: connect(peer).url,
        audience: spiffeId(run.environment, peer),
        fetch: connect(peer).fetch,
        now: Date.now,
        random: (n) => randomBytes(n),
        timeoutMs: TIMEOUT_MS,
      }),
    outcome: (work) =>
      work.then(
        () => 'ok',
        (error: unknown) => (error instanceof DispatchError ? error.code : 'unavailable'),
      ),
    forge: async (name, typ, claims) => {
      const { keyId, privateKey } = loadSigningKey(await file(name));
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const text = `${part({ alg: 'EdDSA', kid: keyId, typ })}.${part(claims)}`;
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
    },
    claims: (over) => {
      const iat = Math.floor(Date.now() / 1000);
      return {
        iss: spiffeId(run.environment, 'identity'),
        aud: spiffeId(run.environment, 'dispatch-api'),
        iat,
        exp: iat + 60,
        txn: randomUUID(),
        tenant: run.tenant_id,
        scope: 'person',
        req_wl: spiffeId(run.environment, service),
        tctx: { correlation_id: randomUUID() },
        rctx: { channel: 'web', assurance: 'L1', amr: ['link'] },
        ...over,
      };
    },
    query: (text, values = []) =>
      inTenant((client) => client.query(text, [...values])).then(
        () => 'ok',
        (error: { code?: string }) => String(error.code),
      ),
    rows: async <Row extends object>(text: string) =>
      (await inTenant((client) => client.query<Row>(text))).rows,
    file,
    close: async () => {
      await database?.end();
    },
  };
}
