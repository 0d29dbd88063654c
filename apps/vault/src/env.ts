import { choice, directory, mtlsMode, optional, port, readEnv, text, url, uuid } from '@deadlatch/http';

/** What every program of the vault reads from its environment. */
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
      DEADLATCH_MTLS: mtlsMode(),
      WITNESS_URL: url(),
      DEADLATCH_LOG_LEVEL: optional(choice(['debug', 'info', 'warn', 'error']), 'info'),
      OTEL_EXPORTER_OTLP_ENDPOINT: optional(url()),
    },
    env,
  );
}

/** The settings of the program that takes contacts' data. @throws ConfigError */
export function readEnrolSettings(env: Readonly<Record<string, string | undefined>>) {
  return readEnv(COMMON, env);
}
