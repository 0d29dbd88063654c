import { join } from 'node:path';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import type { readWebEnv } from './env.ts';

export interface PeerConfig {
  readonly url: string;
  /** SPIFFE id that requests to it are signed for. */
  readonly audience: string;
}

export interface WebConfig {
  readonly environment: string;
  readonly host: string;
  readonly port: number;
  readonly keyDirectory: string;
  readonly mtls: 'on' | 'mesh';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Where spans are sent; null: nowhere. */
  readonly otlpEndpoint: string | null;
  readonly publicUrl: URL;
  readonly clientDirectory: string;
  readonly peers: Readonly<Record<'identity' | 'vault' | 'dispatch-api' | 'witness', PeerConfig>>;
  readonly peerTimeoutMs: number;
  readonly uploadTimeoutMs: number;
  readonly bodyLimitBytes: number;
}

/** What the settings mean for this service. */
export function webConfig(env: ReturnType<typeof readWebEnv>): WebConfig {
  const peer = (service: ServiceName, url: string): PeerConfig => ({
    url,
    audience: spiffeId(env.DEADLATCH_ENVIRONMENT, service),
  });
  return {
    environment: env.DEADLATCH_ENVIRONMENT,
    host: env.DEADLATCH_HOST,
    port: env.DEADLATCH_PORT,
    keyDirectory: env.DEADLATCH_KEY_DIR,
    mtls: env.DEADLATCH_MTLS,
    logLevel: env.DEADLATCH_LOG_LEVEL,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    publicUrl: new URL(env.WEB_PUBLIC_URL),
    clientDirectory: join(import.meta.dirname, '../dist'),
    peers: {
      identity: peer('identity', env.IDENTITY_URL),
      vault: peer('vault', env.VAULT_URL),
      'dispatch-api': peer('dispatch-api', env.DISPATCH_API_URL),
      witness: peer('witness', env.WITNESS_URL),
    },
    peerTimeoutMs: 10_000,
    // 15 MB over a phone at 1 Mbit/s.
    uploadTimeoutMs: 150_000,
    // The longest form: ten texts of 4,000 characters.
    bodyLimitBytes: 262_144,
  };
}
