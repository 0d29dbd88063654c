import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DispatchError } from '@deadlatch/kernel';
import type { TlsFiles, TlsMaterial } from './tls-files.ts';

/** Below the server's own limit, so that the end that sends is the one that closes. */
const IDLE_MS = 20_000;
const BODYLESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Connections made with one certificate of our own. */
interface Connections {
  readonly material: TlsMaterial;
  readonly agent: Agent;
  /** epoch ms; when the first certificate at either end runs out */
  until: number;
}

/**
 * A `fetch` for one receiver: TLS 1.3 with our certificate, to a server whose certificate names exactly `peer` and
 * nothing else. Redirects are answers, never followed.
 *
 * Our own certificate is read again: calls that begin after it was replaced use new connections, those under way
 * finish on theirs. No connection outlives a certificate at either end.
 * @param tls null where a mesh carries TLS: then it is `fetch`
 * @param peer SPIFFE id of the receiver
 * @throws from the call, DispatchError `unavailable` for an address without TLS and for an own certificate that
 * expired; the system's error for everything else, a receiver of another name included
 * @invariant no byte of a request goes to a receiver that has not proven to be `peer`
 * @source T4.1
 */
export function createServiceFetch(options: {
  readonly tls: TlsFiles | null;
  readonly peer: string;
  readonly fetch: typeof globalThis.fetch;
}): typeof globalThis.fetch {
  const { tls, peer, fetch } = options;
  if (tls === null) return fetch;
  let held: Connections | undefined;
  const connections = (): Agent => {
    const material = tls.current();
    const now = tls.now();
    if (!(now < material.leaf.validToDate.getTime())) {
      throw new DispatchError('unavailable', { detail: 'own_certificate_expired' });
    }
    if (held?.material === material && now < held.until) return held.agent;
    for (const idle of Object.values(held?.agent.freeSockets ?? {}).flat()) idle?.destroy();
    held = connect(material, `URI:${peer}`);
    return held.agent;
  };
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.protocol !== 'https:') throw new DispatchError('unavailable', { detail: 'address_without_tls' });
    const outgoing = httpsRequest(url, {
      agent: connections(),
      method: request.method,
      headers: Object.fromEntries(request.headers),
      signal: request.signal,
    });
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    // Errors after the answer began reach its reader; without a listener they would end the process.
    outgoing.on('error', () => undefined);
    const body = init?.body;
    if (body instanceof Uint8Array || typeof body === 'string') outgoing.end(body);
    else if (request.body === null) outgoing.end();
    else pipeline(Readable.fromWeb(request.body), outgoing).catch(() => undefined);
    const [incoming] = await answered;
    return responseOf(incoming);
  };
}

function connect(material: TlsMaterial, peerName: string): Connections {
  const made: Connections = {
    material,
    until: material.leaf.validToDate.getTime(),
    agent: new Agent({
      keepAlive: true,
      timeout: IDLE_MS,
      // Nothing of an old connection is used to open another one.
      maxCachedSessions: 0,
      ca: material.authorities,
      cert: material.certificate,
      key: material.key,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: true,
      // In place of host names, which mean nothing here. Node calls it once the chain is verified.
      checkServerIdentity: (_host, { subjectaltname, valid_to: validTo }) => {
        if (subjectaltname !== peerName) return new Error('the receiver has another name');
        made.until = Math.min(made.until, Date.parse(validTo));
        return undefined;
      },
    }),
  };
  return made;
}

function responseOf(incoming: IncomingMessage): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  const raw = incoming.rawHeaders;
  for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] ?? '', raw[at + 1] ?? '');
  if (BODYLESS.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(incoming) as ReadableStream<Uint8Array>, { status, headers });
}
