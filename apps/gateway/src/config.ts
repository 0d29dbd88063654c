import {
  ConfigError,
  type KeySource,
  openKeyDirectory,
  readEnv,
  type Secret,
  signingKeyOf,
  type TrustBundle,
} from '@deadlatch/http';
import { GATEWAY_ENV } from './env.ts';
import type { CarrierAccount } from './sms-webhook.ts';

/** The gateway's settings, proven. */
export interface GatewayConfig {
  readonly environment: string;
  readonly host: string;
  readonly port: number;
  /** For the other services; the first one is for carriers. */
  readonly internalPort: number;
  readonly mtls: 'on' | 'mesh';
  readonly keyDirectory: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly dispatchApiUrl: string;
  readonly vaultUrl: string;
  readonly witnessUrl: string;
  readonly publicUrl: string;
  readonly inboxDirectory: string;
  readonly carrierUrl: string;
  /** Where spans are sent; null: nowhere. */
  readonly otlpEndpoint: string | null;
  readonly account: CarrierAccount;
}

/** What must not be printed. */
export interface GatewaySecrets {
  readonly signingKey: KeySource;
  readonly carrierToken: Secret;
  /** Public keys as the file has them now. */
  readonly trust: () => TrustBundle;
}

/** A carrier's tokens have 32 characters; anything much shorter is a placeholder somebody forgot. */
const MIN_TOKEN_CHARS = 16;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Reads settings and keys.
 * @throws ConfigError naming what is missing or wrong: without a carrier token, or with an empty one, anybody
 * could sign a webhook, so there is no start
 * @source C.7
 */
export function loadGatewayConfig(env: Readonly<Record<string, string | undefined>>): {
  readonly config: GatewayConfig;
  readonly secrets: GatewaySecrets;
} {
  const read = readEnv(GATEWAY_ENV, env);
  const keys = openKeyDirectory(read.DEADLATCH_KEY_DIR);
  const carrierToken = keys.secret('twilio-auth-token');
  const problems: string[] = [];
  if (carrierToken.reveal().trim().length < MIN_TOKEN_CHARS) {
    problems.push(`twilio-auth-token must have at least ${MIN_TOKEN_CHARS} characters`);
  }
  // Numbers, texts and the account's token travel there.
  for (const name of ['TWILIO_API_BASE', 'GATEWAY_PUBLIC_URL'] as const) {
    if (!isPrivateWay(read[name])) problems.push(`${name} must be https unless it is this machine`);
  }
  if (keys.trust().environment !== read.DEADLATCH_ENVIRONMENT) {
    problems.push('DEADLATCH_ENVIRONMENT is not the environment of the trust bundle');
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config: {
      environment: read.DEADLATCH_ENVIRONMENT,
      host: read.DEADLATCH_HOST,
      port: read.DEADLATCH_PORT,
      internalPort: read.DEADLATCH_INTERNAL_PORT,
      mtls: read.DEADLATCH_MTLS,
      keyDirectory: read.DEADLATCH_KEY_DIR,
      logLevel: read.DEADLATCH_LOG_LEVEL,
      dispatchApiUrl: read.DISPATCH_API_URL,
      vaultUrl: read.VAULT_URL,
      witnessUrl: read.WITNESS_URL,
      publicUrl: read.GATEWAY_PUBLIC_URL,
      inboxDirectory: read.GATEWAY_INBOX_DIR,
      carrierUrl: read.TWILIO_API_BASE,
      otlpEndpoint: read.OTEL_EXPORTER_OTLP_ENDPOINT,
      account: { accountSid: read.TWILIO_ACCOUNT_SID, number: read.TWILIO_NUMBER },
    },
    secrets: { signingKey: signingKeyOf(keys, 'gateway'), carrierToken, trust: keys.trust },
  };
}

function isPrivateWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || LOOPBACK.has(hostname);
}
