import { choice, directory, mtlsMode, optional, port, readEnv, text, url, uuid } from '@deadlatch/http';
import { objectStoreUrl } from './object-store/open-blobs.ts';

/** Everything this process reads from its environment. @throws ConfigError naming every problem at once */
export function readSettings(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(
    {
      DEADLATCH_ENVIRONMENT: text(40),
      DEADLATCH_TENANT_ID: uuid(),
      DEADLATCH_KEY_DIR: directory(),
      DEADLATCH_HOST: text(200),
      DEADLATCH_PORT: port(),
      DEADLATCH_MTLS: mtlsMode(),
      DEADLATCH_LOG_LEVEL: optional(choice(['debug', 'info', 'warn', 'error']), 'info'),
      OTEL_EXPORTER_OTLP_ENDPOINT: optional(url()),
      WITNESS_URL: url(),
      WEB_PUBLIC_URL: url(),
      IDENTITY_PUBLIC_URL: url(),
      OBJECT_STORE_URL: objectStoreUrl(),
      OBJECT_STORE_REGION: optional(text(40), 'us-east-1'),
      IMAGER_SOCKET: text(1_000),
      DEADLATCH_SENDER_NAME: optional(text(40), 'Northside Doors'),
    },
    env,
  );
}

export type Settings = ReturnType<typeof readSettings>;
