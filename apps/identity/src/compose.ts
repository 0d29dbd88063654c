import { spiffeId } from '@deadlatch/catalogue';
import {
  createGuessLimit,
  createHttpServer,
  createKeyRing,
  createReceiptCourier,
  createServiceClient,
  createServiceFetch,
  openServiceTls,
  type ServiceClient,
  statusOf,
  watchKey,
} from '@deadlatch/http';
import { type Clock, createIdMaker, DispatchError, type ErrorCode } from '@deadlatch/kernel';
import { createLogWatch, refuseWhileBehind } from '@deadlatch/log-watch';
import {
  createPool,
  type Pool,
  pruneNonces,
  readLogState,
  readServiceKeys,
  withTenant,
} from '@deadlatch/postgres';
import { codeOf, createLogger, createTelemetry, type Logger, traceOf } from '@deadlatch/telemetry';
import type { FastifyInstance } from 'fastify';
import { createContactAdopter } from './approval/adopt-contact.ts';
import { createCeremonyStore } from './approval/ceremony.sql.ts';
import { createCodeMailer } from './approval/code-mail.ts';
import { createDecider } from './approval/decide.ts';
import { createImportKeeper } from './approval/keep-imported.ts';
import { createStepUpProver } from './approval/prove-step-up.ts';
import { createCeremonySecrets } from './approval/secrets.ts';
import { createCodeSender } from './approval/send-code.ts';
import { createDecisionSender } from './approval/send-decision.ts';
import { createApprovalPages } from './approval/visit-approval.ts';
import { createEventMaker } from './audit-event.ts';
import type { IdentityConfig } from './config.ts';
import { addPageRoutes, addServiceRoutes } from './http-routes.ts';
import { createRefusalTrail, type RefusalTrail } from './refusals.ts';
import { createServiceGate } from './service-gate.ts';
import { createTokenMinter } from './sessions/mint-token.ts';
import { createSessionEndpoints } from './sessions/serve-sessions.ts';
import { createSettleSessions } from './settle-sessions.ts';

/** What identity takes from its surroundings. */
export interface IdentityEdge {
  readonly now: Clock;
  /** returns exactly `n` random bytes */
  readonly random: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** Takes one line of log; standard output unless told. */
  readonly writeLog?: (line: string) => void;
}

export interface Identity {
  /** For browsers: the approval pages, and nothing else. */
  readonly pages: FastifyInstance;
  /** For services. */
  readonly services: FastifyInstance;
  close(): Promise<void>;
}

const PEER_TIMEOUT_MS = 8_000;
const WITNESS_TIMEOUT_MS = 1_500;
const MAIL_TIMEOUT_MS = 8_000;
const PRUNE_EVERY_MS = 5 * 60_000;
const COUNTED_EVERY_MS = 10_000;

/** Builds the service; nothing listens yet. */
export async function compose(config: IdentityConfig, edge: IdentityEdge): Promise<Identity> {
  const { environment, tenantId } = config;
  const { now, random } = edge;
  const newId = createIdMaker(now, random);
  const telemetry = createTelemetry({
    service: 'identity',
    environment,
    otlpEndpoint: config.otlpEndpoint,
    random,
  });
  const { tracing } = telemetry;
  const logger = createLogger({
    service: 'identity',
    traceId: tracing.traceId,
    level: config.logLevel,
    ...(edge.writeLog === undefined ? {} : { write: edge.writeLog }),
  });
  const pool = createPool({ url: config.databaseUrl.reveal(), applicationName: 'identity' });
  const mailer = createCodeMailer({
    smtpUrl: config.smtpUrl.reveal(),
    sender: config.smtpSender,
    timeoutMs: MAIL_TIMEOUT_MS,
  });
  const makeEvent = createEventMaker({ environment, tenantId, now, newId, traceId: tracing.traceId });
  const refusals = createRefusalTrail({ pool, tenantId, makeEvent, now });
  const minter = createTokenMinter({
    key: watchKey(config.tokenKey, { now, logger }),
    environment,
    now,
    newId,
  });

  const tls = openServiceTls({
    mode: config.mtls,
    directory: config.keyDirectory,
    environment,
    service: 'identity',
    now,
  });
  const key = watchKey(config.signingKey, { now, logger });
  const client = (service: 'dispatch-api' | 'vault' | 'witness', baseUrl: string) =>
    createServiceClient({
      service: 'identity',
      key,
      baseUrl,
      audience: spiffeId(environment, service),
      fetch: createServiceFetch({ tls, peer: spiffeId(environment, service), fetch: edge.fetch }),
      now,
      random,
      timeoutMs: service === 'witness' ? WITNESS_TIMEOUT_MS : PEER_TIMEOUT_MS,
      tracing,
    });
  const witness = client('witness', config.witnessUrl);
  const courier = createReceiptCourier({ witness, environment, trust: config.trust, logger });
  const watch = createLogWatch({
    readState: () => readLogState(pool, tenantId),
    readWitness: () => witness.read('/v1/checkpoint'),
    trust: config.trust,
    steady: () => performance.now(),
    logger,
  });
  const shared = {
    service: 'identity',
    logger,
    bodyLimitBytes: 16_384,
    ready: async () => {
      await pool.query('select 1 from identity.nonces limit 1');
      watch.assertServing();
    },
    telemetry,
  };
  const pages = createHttpServer(shared);
  const services = createHttpServer({ ...shared, tls, hasMetrics: true });
  refuseWhileBehind(pages, watch);
  refuseWhileBehind(services, watch);
  addServiceRoutes(
    services,
    createServiceGate({
      environment,
      now,
      keys: createKeyRing({ read: () => readServiceKeys(pool, environment), now }),
    }),
    createSessionEndpoints({
      settle: createSettleSessions({ pool, tenantId, makeEvent, refusals, newId }),
      minter,
      tenantId,
      environment,
      grantKeys: config.grantKeys,
      now,
      random,
    }),
  );
  await addPageRoutes(
    pages,
    approvalPages({
      config,
      edge,
      dispatchApi: courier.accompany(client('dispatch-api', config.dispatchApiUrl)),
      vault: client('vault', config.vaultUrl),
      pool,
      logger,
      newId,
      makeEvent,
      refusals,
      minter,
      sendMail: mailer.send,
      sendNotice: mailer.sendNotice,
    }),
    config.publicOrigin.startsWith('https:'),
  );

  await watch.start();
  const onFailed = (error: unknown) =>
    logger.event('service.not_ready', { code: codeOf(error), ...pick(traceOf(error)) });
  const prune = setInterval(() => {
    withTenant(pool, tenantId, (tx) => pruneNonces(tx, 'identity')).catch(onFailed);
  }, PRUNE_EVERY_MS).unref();
  const counted = setInterval(() => {
    refusals.drain().catch(onFailed);
  }, COUNTED_EVERY_MS).unref();
  return {
    pages,
    services,
    close: async () => {
      clearInterval(prune);
      clearInterval(counted);
      await Promise.all([pages.close(), services.close()]);
      await watch.stop();
      await courier.close();
      await refusals.drain('all').catch(onFailed);
      mailer.close();
      await pool.end();
      await telemetry.close();
    },
  };
}

function approvalPages(parts: {
  readonly config: IdentityConfig;
  readonly edge: IdentityEdge;
  readonly dispatchApi: ServiceClient;
  readonly vault: ServiceClient;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly makeEvent: ReturnType<typeof createEventMaker>;
  readonly refusals: RefusalTrail;
  readonly minter: ReturnType<typeof createTokenMinter>;
  readonly sendMail: ReturnType<typeof createCodeMailer>['send'];
  readonly sendNotice: ReturnType<typeof createCodeMailer>['sendNotice'];
}) {
  const { config, edge, makeEvent, minter, newId, dispatchApi, vault } = parts;
  const { environment, tenantId } = config;
  const store = createCeremonyStore(parts.pool, tenantId, parts.refusals);
  const secrets = createCeremonySecrets({ key: config.codeKey, random: edge.random });
  const onFailed = (error: unknown) => logPageRefusal(parts.logger, error);
  const adoptContact = createContactAdopter({
    pool: parts.pool,
    tenantId,
    secrets,
    makeEvent,
    adopt: (grant) => vault.write('/v1/adoptions', { grant }),
    sendNotice: parts.sendNotice,
  });
  return createApprovalPages({
    read: (secret) => dispatchApi.read(`/v1/step-ups/${secret}`),
    prove: createStepUpProver({ grantKeys: config.grantKeys, environment, tenantId, now: edge.now }),
    store,
    secrets,
    guesses: createGuessLimit(edge.now),
    sendCode: createCodeSender({
      store,
      secrets,
      makeEvent,
      newId,
      reveal: (grant) => vault.write('/v1/reveals', { grant }),
      sendMail: parts.sendMail,
      pageOrigin: config.publicOrigin,
    }),
    decide: createDecider({
      store,
      secrets,
      makeEvent,
      minter,
      sendDecision: createDecisionSender({ write: dispatchApi.write, newId }),
      adoptContact,
      onFailed,
    }),
    imports: createImportKeeper({
      pool: parts.pool,
      tenantId,
      read: (secret) => dispatchApi.read(`/v1/step-ups/${secret}/adoptions`),
      adoptContact,
      onFailed,
    }),
    origin: config.publicOrigin,
    statusOf,
    onRefused: onFailed,
  });
}

function logPageRefusal(logger: Logger, error: unknown): void {
  const code: ErrorCode = codeOf(error);
  if (error instanceof DispatchError && code !== 'unavailable') logger.event('step_up.refused', { code });
  else logger.event('request.failed', { route: '/approve/:secret', code, ...traceOf(error) });
}

function pick(trace: ReturnType<typeof traceOf>): { error: string | undefined; place: string | undefined } {
  return { error: trace.error, place: trace.place };
}
