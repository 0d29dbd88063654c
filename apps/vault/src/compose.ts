import { readFileSync } from 'node:fs';
import { spiffeId } from '@deadlatch/catalogue';
import {
  createHttpServer,
  createKeyRing,
  createRateLimit,
  createServiceClient,
  createServiceFetch,
  openServiceTls,
  RATES,
  watchKey,
} from '@deadlatch/http';
import { type Clock, createIdMaker, refuse } from '@deadlatch/kernel';
import { createLogWatch, refuseWhileBehind } from '@deadlatch/log-watch';
import { createPool, pruneNonces, readLogState, readServiceKeys, withTenant } from '@deadlatch/postgres';
import { codeOf, createLogger, createTelemetry, traceOf } from '@deadlatch/telemetry';
import type { FastifyInstance } from 'fastify';
import { createEventWriter } from './audit-event.ts';
import type { VaultConfig } from './config.ts';
import { createAdopter } from './contacts/adopt-details.ts';
import { createKnownValuesReader } from './contacts/read-known-values.ts';
import { createFileKeyWrapper } from './crypto/key-wrapper.ts';
import { createKeyedDigests } from './crypto/keyed-digests.ts';
import { createExitGate } from './exit-gate/check-exit.ts';
import { addRoutes } from './http-routes.ts';
import { createLetterOpener } from './inbound/open-letter.ts';
import { createInboundReceiver } from './inbound/receive-inbound.ts';
import { createMaskRunner } from './masking/mask-runner.ts';
import { readVocabulary } from './masking/vocabulary.ts';
import { createRevealer } from './reveals/reveal-fields.ts';
import { pruneGrants } from './reveals/reveals.sql.ts';
import { createVaultSettle } from './settle.ts';
import { createTextSealer } from './texts/seal-text.ts';

/** What the vault takes from its surroundings. */
export interface VaultEdge {
  readonly now: Clock;
  /** returns exactly `n` random bytes */
  readonly random: (n: number) => Uint8Array;
  readonly fetch: typeof globalThis.fetch;
  /** Takes one line of log; standard output unless told. */
  readonly writeLog?: (line: string) => void;
}

export interface Vault {
  readonly app: FastifyInstance;
  close(): Promise<void>;
}

/** Hard limit for one message; 16 kB of the worst input takes a tenth of it on a small machine. */
const MASK_LIMIT_MS = 3_000;
/** Nothing waits for the witness but the next look at it. */
const WITNESS_TIMEOUT_MS = 1_500;
/** Harmless words that masking must release, or it releases nothing. */
const PROBE = 'the front door is stuck';
const PRUNE_EVERY_MS = 5 * 60_000;
const COUNTED_EVERY_MS = 10_000;
const WORD_LISTS = new URL('../vocabulary/', import.meta.url);
const MASK_WORKER = new URL('./masking/mask-worker.ts', import.meta.url);

/** Builds the service; nothing listens yet. @throws Error when the word lists are not usable */
export async function compose(config: VaultConfig, edge: VaultEdge): Promise<Vault> {
  const { environment, tenantId } = config;
  const { now, random } = edge;
  const newId = createIdMaker(now, random);
  const telemetry = createTelemetry({
    service: 'vault',
    environment,
    otlpEndpoint: config.otlpEndpoint,
    random,
  });
  const { traceId } = telemetry.tracing;
  const logger = createLogger({
    service: 'vault',
    traceId,
    level: config.logLevel,
    ...(edge.writeLog === undefined ? {} : { write: edge.writeLog }),
  });
  const lists = readWordLists();
  const vocabulary = readVocabulary(lists.words, lists.makers);
  const masking = createMaskRunner({ entry: MASK_WORKER, ...lists, limitMs: MASK_LIMIT_MS });
  const pool = createPool({ url: config.databaseUrl.reveal(), applicationName: 'vault' });
  // A connection that dies in mid-transaction fails its query and then emits 'error' as well, to nobody: that would
  // end the process instead of answering 503.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const keyWrapper = createFileKeyWrapper(config.keyEncryptionKey);
  const digests = createKeyedDigests(config.indexKey);
  const keys = createKeyRing({ read: () => readServiceKeys(pool, environment), now });
  const readKnownValues = createKnownValuesReader({ pool, tenantId, keyWrapper });
  const writeEvent = createEventWriter({ environment, tenantId, now, newId, traceId });
  const { settle, drain } = createVaultSettle({ pool, tenantId, writeEvent, now, newId });

  const tls = openServiceTls({
    mode: config.mtls,
    directory: config.keyDirectory,
    environment,
    service: 'vault',
    now,
  });
  const peer = spiffeId(environment, 'witness');
  const witness = createServiceClient({
    service: 'vault',
    key: watchKey(config.signingKey, { now, logger }),
    baseUrl: config.witnessUrl,
    audience: peer,
    fetch: createServiceFetch({ tls, peer, fetch: edge.fetch }),
    now,
    random,
    timeoutMs: WITNESS_TIMEOUT_MS,
  });
  const watch = createLogWatch({
    readState: () => readLogState(pool, tenantId),
    readWitness: () => witness.read('/v1/checkpoint'),
    trust: config.trust,
    steady: () => performance.now(),
    logger,
  });
  const app = createHttpServer({
    service: 'vault',
    tls,
    logger,
    bodyLimitBytes: 8 * 1024,
    ready: async () => {
      await pool.query('select 1 from vault.nonces limit 1');
      await keys.current();
      config.grantKeys();
      watch.assertServing();
      // Also starts the thread, so that the first message does not wait for it.
      const { state } = await masking.run({ raw: PROBE, knownValues: [] });
      if (state !== 'READY') refuse('unavailable', { detail: 'masking_not_ready' });
    },
    telemetry,
    hasMetrics: true,
  });
  refuseWhileBehind(app, watch);
  const openLetter = createLetterOpener(config.inboxKey);
  const common = { settle, pool, tenantId, keyWrapper, digests, readKnownValues, logger, newId, random };
  const strangers = {
    each: createRateLimit(RATES.strangerTexts, now),
    all: createRateLimit(RATES.allStrangersTexts, now),
  };
  addRoutes(
    app,
    {
      inbound: createInboundReceiver({ ...common, openLetter, masking, strangers }),
      texts: createTextSealer(common),
      reveals: createRevealer({ ...common, environment, grantKeys: config.grantKeys, now }),
      adoptions: createAdopter({ ...common, environment, grantKeys: config.grantKeys, now }),
      exitChecks: createExitGate({ ...common, vocabulary }),
    },
    { audience: spiffeId(environment, 'vault'), keys, now },
  );

  await watch.start();
  const onFailed = (error: unknown) => {
    const { error: name, place } = traceOf(error);
    logger.event('service.not_ready', { code: codeOf(error), error: name, place });
  };
  const prune = setInterval(() => {
    withTenant(pool, tenantId, async (tx) => {
      await pruneNonces(tx, 'vault');
      await pruneGrants(tx);
    }).catch(onFailed);
  }, PRUNE_EVERY_MS).unref();
  const counted = setInterval(() => {
    drain().catch(onFailed);
  }, COUNTED_EVERY_MS).unref();
  return {
    app,
    close: async () => {
      clearInterval(prune);
      clearInterval(counted);
      await app.close();
      await watch.stop();
      await drain('all').catch(onFailed);
      await masking.close();
      await pool.end();
      await telemetry.close();
    },
  };
}

function readWordLists(): { readonly words: string; readonly makers: string } {
  const read = (name: string) => readFileSync(new URL(name, WORD_LISTS), 'utf8');
  return { words: read('words.txt'), makers: read('makers.txt') };
}
