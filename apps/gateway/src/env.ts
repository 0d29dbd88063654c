import { choice, mtlsMode, optional, port, type Setting, text, url } from '@deadlatch/http';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const matching = (form: string, shape: RegExp): Setting<string> => ({
  form,
  parse: (value) => (shape.test(value) ? value : undefined),
});

/** Everything the gateway reads from its environment. */
export const GATEWAY_ENV = {
  DEADLATCH_ENVIRONMENT: matching('a lower-case word', /^[a-z][a-z0-9-]{0,30}$/),
  DEADLATCH_KEY_DIR: text(),
  DEADLATCH_HOST: text(255),
  DEADLATCH_PORT: port(),
  /** Where services reach it; carriers reach the other one. */
  DEADLATCH_INTERNAL_PORT: port(),
  DEADLATCH_MTLS: mtlsMode(),
  DEADLATCH_LOG_LEVEL: optional(choice(LOG_LEVELS), 'info'),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(url()),
  DISPATCH_API_URL: url(),
  VAULT_URL: url(),
  WITNESS_URL: url(),
  /** What the carrier was told to call: its signatures cover this address. */
  GATEWAY_PUBLIC_URL: url(),
  /** Where events wait; belongs to this one process and must be on a disk that keeps what it syncs. */
  GATEWAY_INBOX_DIR: text(),
  TWILIO_ACCOUNT_SID: matching('AC and 32 hexadecimal digits', /^AC[0-9a-f]{32}$/),
  TWILIO_NUMBER: matching('a telephone number in E.164', /^\+[1-9][0-9]{6,14}$/),
  TWILIO_API_BASE: url(),
} as const;
