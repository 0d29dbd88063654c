import { randomBytes } from 'node:crypto';
import { createInputValidator, spiffeId } from '@deadlatch/catalogue';
import { createPolicyEngine, type DecisionTools, decide, loadPolicyTexts, whyNot } from '@deadlatch/decision';
import {
  createHttpServer,
  createKeyRing,
  createRateLimit,
  createServiceClient,
  createServiceFetch,
  keySource,
  openKeyDirectory,
  openServiceTls,
  RATES,
  type Running,
  signingKeyOf,
  watchKey,
  watchTrust,
} from '@deadlatch/http';
import { createIdMaker, systemClock } from '@deadlatch/kernel';
import { createLogWatch, refuseWhileBehind } from '@deadlatch/log-watch';
import {
  assertMigrated,
  createCommandPath,
  createPool,
  readLogState,
  readServiceKeys,
} from '@deadlatch/postgres';
import { createZones } from '@deadlatch/scheduling';
import { actionDigest, canonicalJson } from '@deadlatch/signing';
import { codeOf, createLogger, createTelemetry, traceOf } from '@deadlatch/telemetry';
import { observeCommands, tracePath } from './command/observe-commands.ts';
import { createReceiptIssuer } from './command/receipts.ts';
import { createRefusals } from './command/refusals.ts';
import { createCommandRunner } from './command/run-command.ts';
import type { Settings } from './env.ts';
import { createGrantIssuer } from './grants/issue-grants.ts';
import { createImager } from './imaging/imager.ts';
import { createObserveUpload } from './imaging/observe-upload.ts';
import { createObjectStore } from './object-store/object-store.ts';
import { openBlobs } from './object-store/open-blobs.ts';
import { createReach } from './reads/reach.ts';
import { createTrailReads } from './reads/trail-reads.ts';
import { addActReadRoutes } from './routes/act-reads.ts';
import { createAuditedRead } from './routes/audited-read.ts';
import { addCommandRoutes } from './routes/commands.ts';
import { createGate } from './routes/gate.ts';
import { addOfficeReadRoutes } from './routes/office-reads.ts';
import { addReadRoutes } from './routes/reads.ts';
import { addScheduleReadRoutes } from './routes/schedule-reads.ts';
import { addServiceReadRoutes } from './routes/service-reads.ts';
import { addUploadRoute } from './routes/uploads.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const CONNECTIONS = 20;
/** Longer than imager gives a picture, and its turn. */
const IMAGER_TIMEOUT_MS = 20_000;
const SWEEP_EVERY_MS = 3_600_000;
/** As long as an announced upload counts against its ticket. */
const UPLOADS_KEPT_MS = 24 * 3_600_000;
const PRUNE_EVERY_MS = 5 * 60_000;
const COUNTED_EVERY_MS = 10_000;
/** Nothing waits for the witness but the next look at it. */
const WITNESS_TIMEOUT_MS = 1_500;

/** Constructs the whole service; the only place that does. */
export async function compose(settings: Settings): Promise<Running> {
  const environment = settings.DEADLATCH_ENVIRONMENT;
  const tenantId = settings.DEADLATCH_TENANT_ID;
  const now = systemClock;
  const newId = createIdMaker(now, (n) => randomBytes(n));
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const telemetry = createTelemetry({
    service: 'dispatch-api',
    environment,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    random: randomBytes,
  });
  const { tracing } = telemetry;
  const logger = createLogger({
    service: 'dispatch-api',
    level: settings.DEADLATCH_LOG_LEVEL,
    traceId: tracing.traceId,
  });
  const pool = createPool({
    url: keyDir.secret('database-url').reveal(),
    applicationName: 'dispatch-api',
    maxConnections: CONNECTIONS,
  });
  const path = tracePath(createCommandPath(pool), tracing);
  const tools: DecisionTools = {
    newId,
    policy: createPolicyEngine({ texts: loadPolicyTexts(), sha256Base64Url: actionDigest }),
    validateInput: createInputValidator(),
    canonicalJson,
    sha256Base64Url: actionDigest,
    zones: createZones(),
  };
  const store = createObjectStore(
    openBlobs({ url: settings.OBJECT_STORE_URL, region: settings.OBJECT_STORE_REGION, keyDir, fetch }),
  );
  const imager = createImager({ socketPath: settings.IMAGER_SOCKET, timeoutMs: IMAGER_TIMEOUT_MS });
  const grantKey = watchKey(
    keySource(keyDir, 'grant', () => keyDir.trust().grantKeys),
    { now, logger },
  );
  const grants = createGrantIssuer({ key: grantKey, environment, now, newId });
  const linkKey = keyDir.secretBytes('link.key');
  const uploadKey = keyDir.secretBytes('upload.key');
  const trust = watchTrust({ read: keyDir.trust, now });
  const keys = createKeyRing({ read: () => readServiceKeys(pool, environment), now });
  const gate = createGate({ environment, tenantId, keys, tokenKeys: () => trust().tokenKeys, now, newId });
  const tls = openServiceTls({
    mode: settings.DEADLATCH_MTLS,
    directory: settings.DEADLATCH_KEY_DIR,
    environment,
    service: 'dispatch-api',
    now,
  });
  const witness = createServiceClient({
    service: 'dispatch-api',
    key: watchKey(signingKeyOf(keyDir, 'dispatch-api'), { now, logger }),
    baseUrl: settings.WITNESS_URL,
    audience: spiffeId(environment, 'witness'),
    fetch: createServiceFetch({ tls, peer: spiffeId(environment, 'witness'), fetch }),
    now,
    random: randomBytes,
    timeoutMs: WITNESS_TIMEOUT_MS,
  });
  const watch = createLogWatch({
    readState: () => readLogState(pool, tenantId),
    readWitness: () => witness.read('/v1/checkpoint'),
    trust,
    steady: () => performance.now(),
    logger,
  });
  const reach = createReach(path, tools, watch);
  const app = createHttpServer({
    service: 'dispatch-api',
    tls,
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    ready: async () => {
      await assertMigrated(pool);
      await keys.current();
      await store.check();
      watch.assertServing();
    },
    telemetry,
    hasMetrics: true,
  });
  refuseWhileBehind(app, watch);
  const source = { environment, policyBundle: tools.policy.bundleHash };
  const refusals = createRefusals({ ...source, path, now, newId });
  const audited = createAuditedRead({ gate: gate.read, refusals, now, newId, traceId: tracing.traceId });
  const runner = createCommandRunner({
    ...source,
    path,
    watch,
    refusals,
    decide: (request, caller, facts) => decide(request, caller, facts, tools),
    whyNot: (entry, caller, facts, targetId) => whyNot(entry, caller, facts, tools, targetId),
    observe: createObserveUpload(store, imager),
    discardUpload: (tenant, evidenceId) => store.discardUpload(tenant, evidenceId),
    secrets: { linkKey, grants, newId },
    tracing,
    newId,
    now,
  });
  addUploadRoute(app, { store, uploadKey, now });
  const { traceId } = tracing;
  const trailReads = createTrailReads({ ...source, now, newId, traceId });
  addOfficeReadRoutes(app, { audited, trailReads, pool });
  addReadRoutes(app, { audited, trailReads, pool, store, allowed: reach.allowed });
  addScheduleReadRoutes(app, { audited, pool, calendar: reach.calendar, tools });
  addActReadRoutes(app, { audited, pool, linkKey, identityPublicUrl: settings.IDENTITY_PUBLIC_URL });
  addServiceReadRoutes(app, {
    audited,
    pool,
    grants,
    linkKey,
    webPublicUrl: settings.WEB_PUBLIC_URL,
    identityPublicUrl: settings.IDENTITY_PUBLIC_URL,
    senderName: settings.DEADLATCH_SENDER_NAME,
    turn: reach.turn,
  });
  addCommandRoutes(app, {
    gate: gate.write,
    runner: observeCommands(runner, telemetry),
    refusalRate: createRateLimit(RATES.refusals, now),
    fingerprintKey: keyDir.secretBytes('fingerprint.key'),
    uploadKey,
    signUpload: store.signUpload,
    adoptGrant: grants.adopt,
    receipt: createReceiptIssuer({ key: grantKey, environment }),
    now,
  });
  const onFailed = (error: unknown) => {
    const { error: name, place } = traceOf(error);
    logger.event('service.not_ready', { code: codeOf(error), error: name, place });
  };
  const prune = setInterval(() => {
    path.pruneNonces().catch(onFailed);
  }, PRUNE_EVERY_MS).unref();
  const counted = setInterval(() => {
    refusals.drain().catch(onFailed);
  }, COUNTED_EVERY_MS).unref();
  const sweep = setInterval(() => {
    store.sweep(now() - UPLOADS_KEPT_MS).catch(onFailed);
  }, SWEEP_EVERY_MS).unref();
  await watch.start();
  await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return {
    async close() {
      clearInterval(prune);
      clearInterval(counted);
      clearInterval(sweep);
      await app.close();
      await watch.stop();
      await refusals.drain('all').catch(onFailed);
      await pool.end();
      await telemetry.close();
    },
  };
}
