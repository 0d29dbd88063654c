import { createHash, randomUUID, sign } from 'node:crypto';
import { request } from 'node:http';
import { findCommand, routeOf, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { type ServiceKeyPair, signRequest } from '@deadlatch/signing';
import { type DispatchWorld, ENVIRONMENT } from './dispatch-api.ts';

/** A request as bytes on the wire; headers in order, duplicates possible. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Sends the body in pieces without announcing its length. */
  readonly isChunked?: boolean;
}

export interface WireAnswer {
  readonly status: number;
  /** `code` of a problem document, or `ok`. */
  readonly code: string;
  readonly type: string;
  /** Parsed when it is JSON, else the bytes; null when empty. */
  // biome-ignore lint/suspicious/noExplicitAny: what a black box answers has no type
  readonly body: any;
}

export type Claims = Readonly<Record<string, unknown>>;

/** Who sends: a service with its key, and the user token that goes with it. */
export interface Actor {
  readonly service: ServiceName;
  /** Claims beyond those every token of this service has; null: no user token. */
  readonly claims: Claims | null;
  /** Instead of the service's own key. */
  readonly key?: ServiceKeyPair;
}

/** The service alone, without a user. */
export const alone = (service: ServiceName): Actor => ({ service, claims: null });

export function person(
  kind: 'staff' | 'technician' | 'contact',
  id: string,
  service: ServiceName = 'web',
): Actor {
  return { service, claims: { sub: `${kind}:${id}`, scope: 'person' } };
}

/** An agent in its turn, for the contact who wrote. */
export function agent(
  turn: { readonly id: string; readonly conversationId: string; readonly contactId: string },
  over: Claims = {},
): Actor {
  return {
    service: 'tool-bridge',
    claims: {
      sub: `contact:${turn.contactId}`,
      scope: 'turn',
      act: { role: 'agent.intake', turn: turn.id },
      tctx: { correlation_id: randomUUID(), conversation_id: turn.conversationId },
      ...over,
    },
  };
}

/** A contact who proved a second factor for exactly one action. */
export function stepUp(contactId: string, actionDigest: string, over: Claims = {}): Actor {
  return {
    service: 'identity',
    claims: {
      sub: `contact:${contactId}`,
      scope: 'step-up',
      tctx: { correlation_id: randomUUID(), action_digest: actionDigest },
      rctx: { channel: 'web', assurance: 'L2', amr: ['sms-link', 'email-code'] },
      ...over,
    },
  };
}

export interface CommandOptions {
  readonly key?: string;
  readonly token?: string;
  readonly lifetimeS?: number;
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

/** Speaks to one replica, as anybody whose keys the world holds. */
export interface Wire {
  /** A token as identity would mint it; `over` replaces whole claims, `undefined` removes one. */
  token(service: ServiceName, over: Claims): string;
  prepare(
    actor: Actor,
    command: string,
    id: string | null,
    input: unknown,
    options?: CommandOptions,
  ): WireRequest;
  prepareBytes(actor: Actor, target: string, body: Buffer, options?: CommandOptions): WireRequest;
  send(request: WireRequest): Promise<WireAnswer>;
  command(
    actor: Actor,
    command: string,
    id: string | null,
    input: unknown,
    options?: CommandOptions,
  ): Promise<WireAnswer>;
  read(actor: Actor, target: string): Promise<WireAnswer>;
}

export function createWire(world: DispatchWorld, port: number): Wire {
  const audience = spiffeId(ENVIRONMENT, 'dispatch-api');
  const token: Wire['token'] = (service, over) => {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: spiffeId(ENVIRONMENT, 'identity'),
      aud: audience,
      iat,
      exp: iat + 60,
      txn: randomUUID(),
      tenant: world.tenant.tenantId,
      req_wl: spiffeId(ENVIRONMENT, service),
      tctx: { correlation_id: randomUUID() },
      rctx: { channel: 'web', assurance: 'L1', amr: ['link'] },
      ...over,
    };
    return signJws({ alg: 'EdDSA', kid: world.tokenKey.keyId, typ: 'txntoken+jwt' }, claims, world.tokenKey);
  };
  const signed = (
    actor: Actor,
    method: 'GET' | 'POST',
    target: string,
    body: Buffer,
    options: CommandOptions,
  ) => {
    const isWrite = method === 'POST';
    const given = options.token ?? (actor.claims === null ? undefined : token(actor.service, actor.claims));
    const headers = signRequest({
      method,
      target,
      body,
      shape: { write: isWrite, token: given !== undefined },
      ...(given === undefined ? {} : { token: given }),
      ...(isWrite ? { idempotencyKey: options.key ?? randomUUID() } : {}),
      key: actor.key ?? world.key(actor.service),
      audience,
      now: options.now ?? Date.now(),
      ...(options.lifetimeS === undefined ? {} : { lifetimeS: options.lifetimeS }),
    });
    return { method, target, headers: Object.entries(headers), body };
  };
  const send = (sent: WireRequest) => exchange(port, sent);
  const prepareBytes: Wire['prepareBytes'] = (actor, target, body, options = {}) =>
    signed(actor, 'POST', target, body, options);
  const prepare: Wire['prepare'] = (actor, command, id, input, options) =>
    prepareBytes(actor, pathOf(command, id), Buffer.from(JSON.stringify(input)), options);
  return {
    token,
    prepare,
    prepareBytes,
    send,
    command: (actor, command, id, input, options) => send(prepare(actor, command, id, input, options)),
    read: (actor, target) => send(signed(actor, 'GET', target, Buffer.alloc(0), {})),
  };
}

/** The concrete path of a command. */
export function pathOf(command: string, id: string | null): string {
  const entry = findCommand(command);
  if (entry === undefined) return id === null ? `/v1/${command}` : `/v1/tickets/${id}/${command}`;
  return routeOf(entry).replace(':id', () => id ?? randomUUID());
}

/** A compact JWS with any header and claims whatever; written anew here so that it can be wrong in any way. */
export function signJws(header: object, claims: object, key: ServiceKeyPair): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), key.privateKey).toString('base64url')}`;
}

export function digestOf(body: Buffer): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

/** The value of a header; empty when there is none. */
export function headerOf(sent: WireRequest, name: string): string {
  return sent.headers.find(([known]) => known === name)?.[1] ?? '';
}

/** Replaces a header in its place; null removes it. */
export function withHeader(sent: WireRequest, name: string, value: string | null): WireRequest {
  const headers = sent.headers.flatMap(([known, old]): [string, string][] =>
    known === name ? (value === null ? [] : [[known, value]]) : [[known, old]],
  );
  return { ...sent, headers };
}

/** Sends the header once more. */
export function withExtra(sent: WireRequest, name: string, value: string): WireRequest {
  return { ...sent, headers: [...sent.headers, [name, value]] };
}

/**
 * Signs again with the right key, over `components` and with `params` as they are told: the signature is good, and
 * only the profile is left. Written from RFC 9421 and not from our own code.
 */
export function signAgain(
  sent: WireRequest,
  key: ServiceKeyPair,
  change: (params: string, components: string) => { params: string; components: string },
): WireRequest {
  const old = headerOf(sent, 'signature-input').slice('sig1='.length);
  const close = old.indexOf(')') + 1;
  const { params, components } = change(old.slice(close), old.slice(0, close));
  const [path = '', query] = sent.target.split('?');
  const derived: Readonly<Record<string, string>> = {
    '@method': sent.method,
    '@path': path,
    '@query': `?${query ?? ''}`,
  };
  const lines = [...components.matchAll(/"([^"]+)"[^ )]*/g)].map(
    ([item, name = '']) => `${item}: ${derived[name] ?? headerOf(sent, name)}`,
  );
  const base = [...lines, `"@signature-params": ${components}${params}`].join('\n');
  const signature = sign(null, Buffer.from(base), key.privateKey).toString('base64');
  return withHeader(
    withHeader(sent, 'signature-input', `sig1=${components}${params}`),
    'signature',
    `sig1=:${signature}:`,
  );
}

/** One exchange on a connection of its own, so that nothing is retried or reused behind the test's back. */
export function exchange(port: number, sent: WireRequest): Promise<WireAnswer> {
  return new Promise((done, fail) => {
    const length =
      sent.isChunked === true || sent.method === 'GET'
        ? []
        : ['content-length', String(sent.body.byteLength)];
    const outgoing = request({
      host: '127.0.0.1',
      port,
      method: sent.method,
      path: sent.target,
      agent: false,
      headers: ['host', `127.0.0.1:${port}`, 'connection', 'close', ...length, ...sent.headers.flat()],
    });
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const type = response.headers['content-type'] ?? '';
        const bytes = Buffer.concat(chunks);
        const body =
          bytes.length === 0 ? null : /json/.test(type) ? JSON.parse(bytes.toString('utf8')) : bytes;
        done({ status: response.statusCode ?? 0, code: body?.code ?? 'ok', type, body });
      });
    });
    if (sent.isChunked === true) {
      const half = Math.ceil(sent.body.byteLength / 2);
      outgoing.write(sent.body.subarray(0, half));
      outgoing.end(sent.body.subarray(half));
    } else outgoing.end(sent.method === 'GET' ? undefined : sent.body);
  });
}
