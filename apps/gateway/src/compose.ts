import { spiffeId } from '@deadlatch/catalogue';
import {
  createHttpServer,
  createKeyRing,
  createNonceMemory,
  createReceiptCourier,
  createServiceClient,
  createServiceFetch,
  openServiceTls,
  type Running,
  watchKey,
  watchTrust,
} from '@deadlatch/http';
import { sealTo } from '@deadlatch/signing';
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import { createCarrier } from './carrier.ts';
import type { GatewayConfig, GatewaySecrets } from './config.ts';
import { createDelivery } from './deliver.ts';
import { openDeliveryJournal } from './delivery-journal.ts';
import { createDoor } from './door.ts';
import { createDrain } from './drain.ts';
import { createHandOver } from './hand-over.ts';
import { openInbox } from './inbox.ts';
import { GATEWAY_LOG_EVENTS } from './log-events.ts';
import { createReport } from './report.ts';
import { addDeliveryRoute, addWebhookRoutes } from './routes.ts';
import { createWebhooks } from './webhooks.ts';

/** What the process gives the gateway from outside. */
export interface Outside {
  readonly now: () => number;
  readonly randomBytes: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** Takes log lines; standard output unless given. */
  readonly write?: (line: string) => void;
}

/** A peer that does not answer in this time is down; the carrier itself gives us 15 s. */
const PEER_TIMEOUT_MS = 5_000;
const CARRIER_TIMEOUT_MS = 10_000;

/**
 * Builds and starts the gateway.
 * @throws the file system's error when the inbox cannot be opened, or the listener's (`EADDRINUSE`)
 */
export async function startGateway(
  config: GatewayConfig,
  secrets: GatewaySecrets,
  outside: Outside,
): Promise<Running & { readonly url: string; readonly internalUrl: string }> {
  const { now, randomBytes, fetch } = outside;
  const { environment, account, inboxDirectory: directory } = config;
  const random = () => Buffer.from(randomBytes(4)).readUInt32BE() / 2 ** 32;
  const scratchName = () => Buffer.from(randomBytes(12)).toString('hex');
  const authToken = () => secrets.carrierToken.reveal();
  const telemetry = createTelemetry({
    service: 'gateway',
    environment,
    otlpEndpoint: config.otlpEndpoint,
    random: randomBytes,
  });
  const { tracing } = telemetry;
  const logger = createLogger({
    service: 'gateway',
    traceId: tracing.traceId,
    level: config.logLevel,
    events: GATEWAY_LOG_EVENTS,
    ...(outside.write && { write: outside.write }),
  });
  const key = watchKey(secrets.signingKey, { now, logger });
  const tls = openServiceTls({
    mode: config.mtls,
    directory: config.keyDirectory,
    environment,
    service: 'gateway',
    now,
  });
  const client = (service: 'vault' | 'dispatch-api' | 'witness', baseUrl: string) =>
    createServiceClient({
      service: 'gateway',
      key,
      baseUrl,
      audience: spiffeId(environment, service),
      fetch: createServiceFetch({ tls, peer: spiffeId(environment, service), fetch }),
      now,
      random: randomBytes,
      timeoutMs: PEER_TIMEOUT_MS,
      tracing,
    });
  const vault = client('vault', config.vaultUrl);
  const trust = watchTrust({ read: secrets.trust, now });
  const courier = createReceiptCourier({
    witness: client('witness', config.witnessUrl),
    environment,
    trust,
    logger,
  });
  const dispatchApi = courier.accompany(client('dispatch-api', config.dispatchApiUrl));

  const inbox = await openInbox({ directory, now, scratchName });
  const journal = await openDeliveryJournal({ directory, now, scratchName });
  const report = createReport(dispatchApi);
  const handOver = createHandOver({ vault, dispatchApi, journal, report, now });
  const drain = createDrain({ inbox, handOver, now, random, logger, tracing });
  const carrier = createCarrier({
    baseUrl: config.carrierUrl,
    accountSid: account.accountSid,
    authToken,
    number: account.number,
    statusUrl: `${config.publicUrl}/sms/status`,
    fetch,
    timeoutMs: CARRIER_TIMEOUT_MS,
    tracing,
  });

  const shared = {
    service: 'gateway',
    logger,
    bodyLimitBytes: 16_384,
    // Its peers may be down: taking messages over is what the inbox is for.
    ready: async () => {
      await inbox.names();
    },
    telemetry,
  };
  // Carriers reach the one and services the other: neither finds the other's routes.
  const webhookApp = createHttpServer(shared);
  const serviceApp = createHttpServer({ ...shared, tls, hasMetrics: true });
  const seal = (bytes: Uint8Array) => sealTo(trust().inboxX, bytes, randomBytes);
  const webhooks = createWebhooks({
    publicUrl: config.publicUrl,
    account,
    authToken,
    inbox,
    seal,
    door: createDoor(vault, inbox.waiting),
    now,
    arrived: drain.wake,
    tracing,
    logger,
  });
  addWebhookRoutes(webhookApp, webhooks);
  addDeliveryRoute(serviceApp, {
    audience: spiffeId(environment, 'gateway'),
    keys: createKeyRing({ read: () => secrets.trust().services, now }),
    nonces: createNonceMemory({ now }),
    now,
    deliver: createDelivery({
      dispatchApi,
      vault,
      carrier,
      journal,
      report,
      logger,
      metrics: telemetry.metrics,
    }),
  });

  telemetry.metrics.beforeRead(['inbox_waiting'], async () =>
    telemetry.metrics.set('inbox_waiting', {}, (await inbox.names()).length),
  );
  await nextSecond(now);
  const { host } = config;
  const close = async () => {
    await Promise.all([webhookApp.close(), serviceApp.close()]);
    await drain.close();
    await telemetry.close();
  };
  const url = await webhookApp.listen({ host, port: config.port });
  const internalUrl = await serviceApp.listen({ host, port: config.internalPort }).catch(async (cause) => {
    await close();
    throw cause;
  });
  logger.event('service.started', { port: config.port });
  // What an earlier process took over and did not hand on.
  drain.wake();
  return { url, internalUrl, close };
}

/**
 * Waits for the next whole second. Signatures count in seconds, so one of the second in which we started could be
 * from before and is refused; while nobody listens, a caller sees an outage and tries again instead of giving up.
 */
async function nextSecond(now: () => number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 - (now() % 1000)));
}
