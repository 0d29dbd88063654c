import { randomBytes } from 'node:crypto';
import { createHttpServer, createServiceClient, openKeyDirectory, type Running } from '@deadlatch/http';
import { createIdMaker, systemClock } from '@deadlatch/kernel';
import { createLogger } from '@deadlatch/telemetry';
import { readClientFiles } from './client-files.ts';
import type { PeerConfig, WebConfig } from './config.ts';
import { createIdentity, createVault } from './peers.ts';
import { addWeb } from './server.ts';

/** Builds the service and starts it. @throws ConfigError, or the system's error when the port is taken */
export async function startWeb(config: WebConfig): Promise<Running> {
  const logger = createLogger({ service: 'web', level: config.logLevel });
  const key = openKeyDirectory(config.keyDirectory).signingKey();
  const clientOf = ({ url, audience }: PeerConfig) =>
    createServiceClient({
      service: 'web',
      key,
      baseUrl: url,
      audience,
      fetch,
      now: systemClock,
      random: randomBytes,
      timeoutMs: config.peerTimeoutMs,
    });

  const server = createHttpServer({
    service: 'web',
    logger,
    bodyLimitBytes: config.bodyLimitBytes,
    ready: async () => {},
  });
  // A photo may take longer than the requests of services among themselves.
  server.server.requestTimeout = config.uploadTimeoutMs;
  addWeb(server, {
    publicUrl: config.publicUrl,
    identity: createIdentity(clientOf(config.peers.identity)),
    vault: createVault(clientOf(config.peers.vault)),
    dispatchApi: clientOf(config.peers['dispatch-api']),
    dispatchApiUrl: new URL(config.peers['dispatch-api'].url),
    client: readClientFiles(config.clientDirectory),
    fetch,
    now: systemClock,
    newId: createIdMaker(systemClock, randomBytes),
    newSecret: () => randomBytes(32).toString('base64url'),
    uploadTimeoutMs: config.uploadTimeoutMs,
  });
  await server.listen({ host: config.host, port: config.port });
  logger.event('service.started', { port: config.port });
  return {
    close: async () => {
      logger.event('service.stopping', {});
      await server.close();
      logger.event('service.stopped', {});
    },
  };
}
