import {
  ConfigError,
  type KeyDirectory,
  type KeySource,
  keySource,
  openKeyDirectory,
  type Secret,
  signingKeyOf,
  type TrustBundle,
  watchTrust,
} from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import type { TimedKey } from '@deadlatch/signing';
import type { readEnrolSettings, readServiceSettings } from './env.ts';

/** What identity runs with: proven settings and the keys of its own key directory. */
export interface IdentityConfig {
  readonly environment: string;
  readonly tenantId: string;
  readonly host: string;
  readonly port: number;
  /** For the other services; the first one is for browsers. */
  readonly internalPort: number;
  readonly mtls: 'on' | 'mesh';
  /** Where its certificate is; read again while the service runs. */
  readonly keyDirectory: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Where spans are sent; null: nowhere. */
  readonly otlpEndpoint: string | null;
  /** Scheme, host and port of the approval pages, as a browser says it in `Origin`. */
  readonly publicOrigin: string;
  readonly dispatchApiUrl: string;
  readonly vaultUrl: string;
  readonly witnessUrl: string;
  readonly smtpSender: string;
  readonly smtpUrl: Secret;
  readonly databaseUrl: Secret;
  /** Signs requests. */
  readonly signingKey: KeySource;
  /** Signs transaction tokens, and nothing else. */
  readonly tokenKey: KeySource;
  /** Keys the digests of codes, addresses and forms. 32 bytes. */
  readonly codeKey: Uint8Array;
  /** The keys that dispatch-api signs grants with, as the trust bundle has them now. */
  readonly grantKeys: () => readonly TimedKey[];
  /** The pinned public keys, as they are now. */
  readonly trust: () => Pick<TrustBundle, 'grantKeys' | 'log' | 'witnesses'>;
}

/** Turns settings into a configuration. @throws ConfigError for keys that are missing, unusable or foreign */
export function configOf(settings: ReturnType<typeof readServiceSettings>, now: Clock): IdentityConfig {
  const keys = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  assertTrust(keys, settings.DEADLATCH_ENVIRONMENT);
  const currentTrust = watchTrust({ read: keys.trust, now });
  return {
    environment: settings.DEADLATCH_ENVIRONMENT,
    tenantId: settings.DEADLATCH_TENANT_ID,
    host: settings.DEADLATCH_HOST,
    port: settings.DEADLATCH_PORT,
    internalPort: settings.DEADLATCH_INTERNAL_PORT,
    mtls: settings.DEADLATCH_MTLS,
    keyDirectory: settings.DEADLATCH_KEY_DIR,
    logLevel: settings.DEADLATCH_LOG_LEVEL,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    publicOrigin: originOf(settings.IDENTITY_PUBLIC_URL),
    dispatchApiUrl: settings.DISPATCH_API_URL,
    vaultUrl: settings.VAULT_URL,
    witnessUrl: settings.WITNESS_URL,
    smtpSender: settings.SMTP_SENDER,
    smtpUrl: smtpUrlOf(keys),
    databaseUrl: keys.secret('database-url'),
    signingKey: signingKeyOf(keys, 'identity'),
    tokenKey: keySource(keys, 'token', () => keys.trust().tokenKeys),
    codeKey: keys.secretBytes('code.key'),
    grantKeys: () => currentTrust().grantKeys,
    trust: currentTrust,
  };
}

/** What the enrolment program runs with. */
export interface EnrolConfig {
  readonly environment: string;
  readonly tenantId: string;
  readonly databaseUrl: Secret;
  readonly codeKey: Uint8Array;
}

/** @throws ConfigError */
export function enrolConfigOf(settings: ReturnType<typeof readEnrolSettings>): EnrolConfig {
  const keys = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  return {
    environment: settings.DEADLATCH_ENVIRONMENT,
    tenantId: settings.DEADLATCH_TENANT_ID,
    databaseUrl: keys.secret('database-url'),
    codeKey: keys.secretBytes('code.key'),
  };
}

/** A bundle of another environment, or one that names another token key, means that everybody would refuse us. */
function assertTrust(keys: KeyDirectory, environment: string): void {
  const tokenKey = keys.keyPair('token.pem');
  const trust = keys.trust();
  const problems: string[] = [];
  if (trust.environment !== environment) problems.push('the trust bundle is of another environment');
  if (!trust.tokenKeys.some((pinned) => pinned.keyId === tokenKey.keyId)) {
    problems.push('the trust bundle names another token key');
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** Pages live at the root of their own origin; a path would let something else share it. */
function originOf(publicUrl: string): string {
  const { origin, pathname } = new URL(publicUrl);
  if (pathname !== '/') throw new ConfigError(['IDENTITY_PUBLIC_URL must be an origin, without a path']);
  return origin;
}

function smtpUrlOf(keys: KeyDirectory): Secret {
  const secret = keys.secret('smtp-url');
  const url = URL.canParse(secret.reveal()) ? new URL(secret.reveal()) : null;
  if (url === null || !['smtp:', 'smtps:'].includes(url.protocol) || url.hostname === '') {
    throw new ConfigError(['smtp-url in the key directory must be an smtp:// or smtps:// address']);
  }
  return secret;
}
