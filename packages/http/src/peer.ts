import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { SERVICES, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { FastifyRequest } from 'fastify';
import type { TlsFiles } from './tls-files.ts';

/** The service at the other end of a connection, proven by its certificate. */
export interface Peer {
  readonly service: ServiceName;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Proven from the certificate for every request; null on a server without TLS, and on no other. */
    peer: Peer | null;
  }
}

interface Proven {
  readonly peer: Peer;
  /** epoch ms */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuers: readonly X509Certificate[];
}

/**
 * Makes the proof of who sends the requests of a connection. What does not change is looked at once for each
 * connection; the times are compared for every request, and the issuer again when the trusted authorities change.
 *
 * Which name counts: exactly one subject alternative name, a URI, equal to the SPIFFE id of a known service of this
 * environment. Node prints every alternative name and quotes what could be mistaken for two, so equality with the
 * one expected text leaves no room for others.
 * @returns refuses with DispatchError `unauthenticated`
 * @invariant an expired certificate, or one whose authority was taken away, proves nothing on an old connection
 * @source T4.1, SPIFFE X.509-SVID section 2 and 5
 */
export function createPeerProof(tls: TlsFiles): (socket: Socket) => Peer {
  const names = new Map<string, ServiceName>(
    SERVICES.map((service) => [`URI:${spiffeId(tls.environment, service)}`, service]),
  );
  const connections = new WeakMap<Socket, Proven>();

  const prove = (socket: Socket, issuers: readonly X509Certificate[]): Proven => {
    if (!(socket instanceof TLSSocket) || !socket.authorized || socket.isSessionReused()) {
      return refuse('unauthenticated', { detail: 'peer_not_authorized' });
    }
    const leaf = socket.getPeerX509Certificate();
    const service = names.get(leaf?.subjectAltName ?? '');
    if (leaf === undefined || service === undefined) {
      return refuse('unauthenticated', { detail: 'peer_name' });
    }
    const issuer = issuers.find((known) => leaf.checkIssued(known) && leaf.verify(known.publicKey));
    if (issuer === undefined) return refuse('unauthenticated', { detail: 'peer_issuer' });
    return {
      peer: { service },
      notBefore: Math.max(leaf.validFromDate.getTime(), issuer.validFromDate.getTime()),
      notAfter: Math.min(leaf.validToDate.getTime(), issuer.validToDate.getTime()),
      issuers,
    };
  };

  return (socket) => {
    const { issuers } = tls.current();
    let proven = connections.get(socket);
    if (proven?.issuers !== issuers) {
      proven = prove(socket, issuers);
      connections.set(socket, proven);
    }
    const now = tls.now();
    if (!(now >= proven.notBefore && now < proven.notAfter)) {
      refuse('unauthenticated', { detail: 'peer_expired' });
    }
    return proven.peer;
  };
}

/**
 * Only this service may go on, on a route whose requests are not signed. Without TLS there is no peer to look at:
 * whoever lets a mesh take its place must make the same rule there.
 * @throws DispatchError `above_ceiling`
 * @source T4.1
 */
export function requirePeer(request: FastifyRequest, service: ServiceName): void {
  if (request.peer !== null && request.peer.service !== service) {
    refuse('above_ceiling', { detail: 'peer_not_allowed' });
  }
}
