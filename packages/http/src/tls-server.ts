import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Logger } from '@deadlatch/telemetry';
import type { TlsFiles, TlsMaterial, TlsProblem } from './tls-files.ts';

/**
 * An HTTPS server that talks TLS 1.3 to holders of a certificate of the installation's own authority and to nobody
 * else. Rewritten files count for the next handshake; connections that are open are re-proven request by request.
 *
 * Without tickets and without a session cache nothing of a connection can be used to open another one: a stolen
 * ticket would come back as authorised without the key.
 * @source T4.1, RFC 8446 sections 2.2 and 4.6.1
 */
export function createTlsServer(
  tls: TlsFiles,
  logger: Logger,
  options: ServerOptions,
  listener: RequestListener,
): Server {
  let used = tls.current();
  let said: TlsProblem | null = null;
  const server = createServer(
    { ...options, ...contextOf(used), requestCert: true, rejectUnauthorized: true },
    listener,
  );
  // Before Node's own listener, which starts the handshake.
  server.prependListener('connection', () => {
    try {
      const latest = tls.current();
      if (latest !== used) server.setSecureContext(contextOf(latest));
      used = latest;
    } catch {
      // Every request asks for the material itself, and is refused without it.
    }
    const problem = tls.problem();
    if (problem !== null && problem !== said) logger.event('tls.files_unusable', { reason: problem });
    said = problem;
  });
  return server;
}

function contextOf(material: TlsMaterial) {
  return {
    ca: material.authorities,
    cert: material.certificate,
    key: material.key,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}
