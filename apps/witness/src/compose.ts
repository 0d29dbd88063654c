import { type NoteKey, parseNoteKey } from '@deadlatch/audit-log';
import { spiffeId } from '@deadlatch/catalogue';
import {
  ConfigError,
  createHttpServer,
  createKeyRing,
  createNonceMemory,
  createServiceClient,
  createServiceFetch,
  openKeyDirectory,
  openServiceTls,
  type Running,
  signingKeyOf,
  type TrustBundle,
  watchKey,
  watchTrust,
} from '@deadlatch/http';
import { type Clock, refuse } from '@deadlatch/kernel';
import { publicX, type ServiceKeyPair, verifyReceipt } from '@deadlatch/signing';
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import { createRestoreTaker } from './accepted-restore.ts';
import { createCosigner } from './cosigner.ts';
import { createDemand } from './demand.ts';
import type { Settings } from './env.ts';
import { openLedger } from './ledger.ts';
import { WITNESS_LOG_EVENTS } from './log-events.ts';
import { measureWitness } from './measure-witness.ts';
import { repeat } from './repeat.ts';
import { addRoutes } from './routes.ts';
import { openHead } from './stored-head.ts';

/** What the service takes from the world around it. */
export interface World {
  readonly now: Clock;
  /** milliseconds of a clock that is never set */
  readonly steady: () => number;
  /** returns exactly `n` random bytes */
  readonly random: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** takes one line of the log; standard output unless told */
  readonly write?: (line: string) => void;
}

/** The log must answer sooner than it has to merge. */
const PEER_TIMEOUT_MS = 4_000;
const ROUND_MS = 1_000;
const BODY_LIMIT_BYTES = 16_384;

/** Constructs the whole service; the only place that does. @throws ConfigError when keys or what it has seen are unusable */
export async function compose(settings: Settings, world: World): Promise<Running & { readonly url: string }> {
  const environment = settings.DEADLATCH_ENVIRONMENT;
  const { now, steady, random, fetch, write } = world;
  const keyDir = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const trust = watchTrust({ read: keyDir.trust, now });
  const key = keyDir.keyPair('witness.pem');
  const logKey = logKeyOf(trust());
  const telemetry = createTelemetry({
    service: 'witness',
    environment,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    random,
  });
  const logger = createLogger({
    service: 'witness',
    traceId: telemetry.tracing.traceId,
    level: settings.DEADLATCH_LOG_LEVEL,
    events: WITNESS_LOG_EVENTS,
    ...(write && { write }),
  });
  const directory = settings.WITNESS_DIR;
  const ledger = await openLedger({ directory, now, steady });
  const stored = await openHead(directory, logKey.name);
  const tls = openServiceTls({
    mode: settings.DEADLATCH_MTLS,
    directory: settings.DEADLATCH_KEY_DIR,
    environment,
    service: 'witness',
    now,
  });
  const sequencer = createServiceClient({
    service: 'witness',
    key: watchKey(signingKeyOf(keyDir, 'witness'), { now, logger }),
    baseUrl: settings.SEQUENCER_URL,
    audience: spiffeId(environment, 'sequencer'),
    fetch: createServiceFetch({ tls, peer: spiffeId(environment, 'sequencer'), fetch }),
    now,
    random,
    timeoutMs: PEER_TIMEOUT_MS,
    tracing: telemetry.tracing,
  });
  const cosigner = createCosigner({
    logKey,
    name: ownNameIn(trust(), key),
    key,
    stored,
    ledger,
    now,
    steady,
    logger,
    grown: () => rounds.hurry(),
  });
  const demand = createDemand({ sequencer, ledger, cosigner, now, steady, logger });
  const takeRestore = createRestoreTaker({
    directory,
    environment,
    origin: logKey.name,
    operators: () => trust().operators,
    head: cosigner.head,
    ledger,
    now,
    logger,
  });
  const rounds = repeat(async () => {
    await takeRestore();
    await demand.round();
  }, ROUND_MS);

  const app = createHttpServer({
    service: 'witness',
    tls,
    logger,
    bodyLimitBytes: BODY_LIMIT_BYTES,
    ready: async () => {
      if (!ledger.isWritable()) refuse('unavailable', { detail: 'ledger_broken' });
    },
    telemetry,
    hasMetrics: true,
  });
  measureWitness({ ledger, cosigner, steady }, telemetry.metrics);
  addRoutes(app, {
    audience: spiffeId(environment, 'witness'),
    keys: createKeyRing({ read: () => trust().services, now }),
    nonces: createNonceMemory({ now }),
    now,
    cosigner,
    ledger,
    verifyReceipt: (token) =>
      verifyReceipt(token, {
        keys: trust().grantKeys,
        issuer: spiffeId(environment, 'dispatch-api'),
        origin: logKey.name,
      }),
    logger,
  });
  const url = await app.listen({ host: settings.DEADLATCH_HOST, port: settings.DEADLATCH_PORT });
  rounds.start();
  logger.event('service.started', { port: settings.DEADLATCH_PORT });
  return {
    url,
    close: async () => {
      await app.close();
      await rounds.stop();
      await ledger.close();
      await telemetry.close();
    },
  };
}

/** The log's key, which is named as the log. */
function logKeyOf({ log }: TrustBundle): NoteKey {
  const key = parseNoteKey('log', log.key);
  return key.name === log.origin ? key : wrong('the log key of the trust bundle is not named as the log');
}

/** Under which name verifiers have pinned this key. A cosignature that nobody would count is worse than none. */
function ownNameIn({ witnesses }: TrustBundle, key: ServiceKeyPair): string {
  const own = witnesses.keys
    .map((line) => parseNoteKey('witness', line))
    .find(({ publicKey }) => publicX(publicKey) === publicX(key.publicKey));
  return own?.name ?? wrong('witness.pem is not among the witnesses of the trust bundle');
}

function wrong(problem: string): never {
  throw new ConfigError([problem]);
}
