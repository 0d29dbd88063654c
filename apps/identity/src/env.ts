import { choice, directory, mtlsMode, optional, port, readEnv, text, url, uuid } from '@deadlatch/http';

/** What every program of identity reads from its environment. */
const COMMON = {
  DEADLATCH_ENVIRONMENT: text(40),
  DEADLATCH_TENANT_ID: uuid(),
  DEADLATCH_KEY_DIR: directory(),
};

/** The service's settings. @throws ConfigError naming every problem at once */
export function readServiceSettings(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(
    {
      ...COMMON,
      DEADLATCH_HOST: text(200),
      DEADLATCH_PORT: port(),
      /** Where services reach it; browsers reach the other one. */
      DEADLATCH_INTERNAL_PORT: port(),
      DEADLATCH_MTLS: mtlsMode(),
      DEADLATCH_LOG_LEVEL: optional(choice(['debug', 'info', 'warn', 'error']), 'info'),
      OTEL_EXPORTER_OTLP_ENDPOINT: optional(url()),
      /** Where browsers find the approval pages; never taken from a request. */
      IDENTITY_PUBLIC_URL: url(),
      DISPATCH_API_URL: url(),
      VAULT_URL: url(),
      WITNESS_URL: url(),
      SMTP_SENDER: text(200),
    },
    env,
  );
}

/** The settings of the program that takes address commitments. @throws ConfigError */
export function readEnrolSettings(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(COMMON, env);
}
