import { choice, directory, mtlsMode, optional, port, readEnv, text, url, uuid } from '@deadlatch/http';

/** The settings of this service, proven, as the operator gave them. @throws ConfigError naming every problem */
export function readWebEnv(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(
    {
      DEADLATCH_ENVIRONMENT: text(40),
      DEADLATCH_TENANT_ID: uuid(),
      DEADLATCH_KEY_DIR: directory(),
      DEADLATCH_HOST: optional(text(200), '127.0.0.1'),
      DEADLATCH_PORT: port(),
      DEADLATCH_MTLS: mtlsMode(),
      DEADLATCH_LOG_LEVEL: optional(choice(['debug', 'info', 'warn', 'error', 'silent']), 'info'),
      OTEL_EXPORTER_OTLP_ENDPOINT: optional(url()),
      WEB_PUBLIC_URL: url(),
      IDENTITY_URL: url(),
      VAULT_URL: url(),
      DISPATCH_API_URL: url(),
      WITNESS_URL: url(),
    },
    env,
  );
}
