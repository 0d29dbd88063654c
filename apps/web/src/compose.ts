import { randomBytes } from 'node:crypto';
import {
  createHttpServer,
  createReceiptCourier,
  createServiceClient,
  createServiceFetch,
  openKeyDirectory,
  openServiceTls,
  type Running,
  signingKeyOf,
  watchKey,
  watchTrust,
} from '@deadlatch/http';
import { createIdMaker, systemClock } from '@deadlatch/kernel';
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import { readClientFiles } from './client-files.ts';
import type { PeerConfig, WebConfig } from './config.ts';
import { createIdentity, createVault } from './peers.ts';
import { addWeb } from './server.ts';

/** Builds the service and starts it. @throws ConfigError, or the system's error when the port is taken */
export async function startWeb(config: WebConfig): Promise<Running> {
  const telemetry = createTelemetry({
    service: 'web',
    environment: config.environment,
    otlpEndpoint: config.otlpEndpoint,
    random: randomBytes,
  });
  const { tracing } = telemetry;
  const logger = createLogger({ service: 'web', level: config.logLevel, traceId: tracing.traceId });
  const keyDir = openKeyDirectory(config.keyDirectory);
  const key = watchKey(signingKeyOf(keyDir, 'web'), { now: systemClock, logger });
  const tls = openServiceTls({
    mode: config.mtls,
    directory: config.keyDirectory,
    environment: config.environment,
    service: 'web',
    now: systemClock,
  });
  const fetchTo = ({ audience }: PeerConfig) => createServiceFetch({ tls, peer: audience, fetch });
  const clientOf = (peer: PeerConfig) =>
    createServiceClient({
      service: 'web',
      key,
      baseUrl: peer.url,
      audience: peer.audience,
      fetch: fetchTo(peer),
      now: systemClock,
      random: randomBytes,
      timeoutMs: config.peerTimeoutMs,
      tracing,
    });

  const courier = createReceiptCourier({
    witness: clientOf(config.peers.witness),
    environment: config.environment,
    trust: watchTrust({ read: keyDir.trust, now: systemClock }),
    logger,
  });
  const server = createHttpServer({
    service: 'web',
    logger,
    bodyLimitBytes: config.bodyLimitBytes,
    ready: async () => {},
    telemetry,
  });
  // A photo may take longer than the requests of services among themselves.
  server.server.requestTimeout = config.uploadTimeoutMs;
  addWeb(server, {
    publicUrl: config.publicUrl,
    identity: createIdentity(clientOf(config.peers.identity)),
    vault: createVault(clientOf(config.peers.vault)),
    dispatchApi: courier.accompany(clientOf(config.peers['dispatch-api'])),
    dispatchApiUrl: new URL(config.peers['dispatch-api'].url),
    client: readClientFiles(config.clientDirectory),
    fetch: fetchTo(config.peers['dispatch-api']),
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
      await courier.close();
      await telemetry.close();
      logger.event('service.stopped', {});
    },
  };
}
