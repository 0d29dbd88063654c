import type { KeyObject } from 'node:crypto';
import {
  ConfigError,
  type KeySource,
  openKeyDirectory,
  type Secret,
  signingKeyOf,
  type TrustBundle,
  watchTrust,
} from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import type { TimedKey } from '@deadlatch/signing';
import type { readEnrolSettings, readServiceSettings } from './env.ts';

/** What every program of the vault runs with: the keys that personal data is kept under. */
export interface StoreConfig {
  readonly environment: string;
  readonly tenantId: string;
  readonly databaseUrl: Secret;
  /** Wraps the data keys. 32 bytes. */
  readonly keyEncryptionKey: Uint8Array;
  /** Keys blind indexes and commitments. 32 bytes. */
  readonly indexKey: Uint8Array;
}

/** What the service runs with. */
export interface VaultConfig extends StoreConfig {
  readonly host: string;
  readonly port: number;
  readonly mtls: 'on' | 'mesh';
  /** Where its certificate is; read again while the service runs. */
  readonly keyDirectory: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Where spans are sent; null: nowhere. */
  readonly otlpEndpoint: string | null;
  /** Opens what the gateway sealed. */
  readonly inboxKey: KeyObject;
  /** The keys that dispatch-api signs grants with, as the trust bundle has them now. */
  readonly grantKeys: () => readonly TimedKey[];
  /** Signs requests: the vault asks the witness how far the log is, and nobody anything else. */
  readonly signingKey: KeySource;
  readonly witnessUrl: string;
  /** The pinned public keys, as they are now. */
  readonly trust: () => Pick<TrustBundle, 'grantKeys' | 'log' | 'witnesses'>;
}

/** Turns settings into a configuration. @throws ConfigError for keys that are missing, unusable or foreign */
export function configOf(settings: ReturnType<typeof readServiceSettings>, now: Clock): VaultConfig {
  const keys = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const inbox = keys.inboxKey('inbox.pem');
  const trust = keys.trust();
  const problems: string[] = [];
  if (trust.environment !== settings.DEADLATCH_ENVIRONMENT) {
    problems.push('the trust bundle is of another environment');
  }
  // Otherwise everything the gateway seals would be lost on us.
  if (trust.inboxX !== inbox.x) problems.push('the trust bundle names another inbox key');
  if (problems.length > 0) throw new ConfigError(problems);
  const currentTrust = watchTrust({ read: keys.trust, now });
  return {
    ...enrolConfigOf(settings),
    host: settings.DEADLATCH_HOST,
    port: settings.DEADLATCH_PORT,
    mtls: settings.DEADLATCH_MTLS,
    keyDirectory: settings.DEADLATCH_KEY_DIR,
    logLevel: settings.DEADLATCH_LOG_LEVEL,
    otlpEndpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
    inboxKey: inbox.privateKey,
    grantKeys: () => currentTrust().grantKeys,
    signingKey: signingKeyOf(keys, 'vault'),
    witnessUrl: settings.WITNESS_URL,
    trust: currentTrust,
  };
}

/** What the enrolment program runs with. @throws ConfigError */
export function enrolConfigOf(settings: ReturnType<typeof readEnrolSettings>): StoreConfig {
  const keys = openKeyDirectory(settings.DEADLATCH_KEY_DIR);
  const keyEncryptionKey = keys.secretBytes('kek.key');
  const indexKey = keys.secretBytes('index.key');
  // One key for both would let whoever sees an index guess at wrapped keys.
  if (keyEncryptionKey.equals(indexKey)) throw new ConfigError(['kek.key and index.key must differ']);
  return {
    environment: settings.DEADLATCH_ENVIRONMENT,
    tenantId: settings.DEADLATCH_TENANT_ID,
    databaseUrl: keys.secret('database-url'),
    keyEncryptionKey,
    indexKey,
  };
}
