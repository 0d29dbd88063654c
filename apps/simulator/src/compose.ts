import { createHttpServer, type Running } from '@deadlatch/http';
import { createLogger } from '@deadlatch/telemetry';
import { createCarrier } from './carrier.ts';
import type { SimulatorConfig } from './config.ts';
import { startMailServer } from './mail-server.ts';
import { loadPageFiles } from './page-files.ts';
import { addApiRoutes, addCarrierRoutes, addChangesRoute, addPageRoutes, guardLoopback } from './routes.ts';
import { createWorld } from './world.ts';

/** What the process gives the simulator from outside. */
export interface Outside {
  /** Reveals the carrier account's token. */
  readonly carrierToken: () => string;
  readonly now: () => number;
  readonly randomBytes: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** Takes log lines; standard output unless given. */
  readonly write?: (line: string) => void;
}

const BODY_BYTES = 16_384;

/** Builds and starts the simulator. @throws the listener's error (`EADDRINUSE`) */
export async function startSimulator(
  config: SimulatorConfig,
  outside: Outside,
): Promise<Running & { readonly url: string }> {
  const { now, randomBytes, fetch } = outside;
  const logger = createLogger({
    service: 'simulator',
    level: config.logLevel,
    ...(outside.write && { write: outside.write }),
  });
  const world = createWorld(config.people, now);
  const carrier = createCarrier({
    account: {
      accountSid: config.accountSid,
      authToken: outside.carrierToken,
      number: config.number,
      webhookBase: config.gatewayUrl,
    },
    world,
    fetch,
    randomBytes,
  });
  const mail = await startMailServer({
    world,
    host: config.host,
    port: config.smtpPort,
    mintId: () => Buffer.from(randomBytes(8)).toString('hex'),
  });
  const app = createHttpServer({
    service: 'simulator',
    logger,
    bodyLimitBytes: BODY_BYTES,
    ready: async () => undefined,
  });
  guardLoopback(app);
  addPageRoutes(app, await loadPageFiles());
  addApiRoutes(app, { world, carrier, number: config.number });
  addChangesRoute(app, world);
  addCarrierRoutes(app, carrier);
  const url = await app.listen({ host: config.host, port: config.port });
  logger.event('service.started', { port: config.port });
  return {
    url,
    close: async () => {
      await app.close();
      await mail.close();
      await carrier.settled();
    },
  };
}
