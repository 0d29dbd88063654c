import { choice, optional, port, type Setting, text, url } from '@deadlatch/http';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const matching = (form: string, shape: RegExp): Setting<string> => ({
  form,
  parse: (value) => (shape.test(value) ? value : undefined),
});

/** Everything the simulator reads from its environment. */
export const SIMULATOR_ENV = {
  /** The simulator exists in the demo only. */
  DEADLATCH_ENVIRONMENT: choice(['demo']),
  DEADLATCH_KEY_DIR: text(),
  /** It hands out other people's texts to whoever asks, so it may be reached from this machine only. */
  DEADLATCH_HOST: choice(['127.0.0.1', '::1', 'localhost']),
  DEADLATCH_PORT: port(),
  DEADLATCH_LOG_LEVEL: optional(choice(LOG_LEVELS), 'info'),
  SIMULATOR_SMTP_PORT: port(),
  /** File of the demo's people. */
  SIMULATOR_PEOPLE: text(),
  GATEWAY_PUBLIC_URL: url('http'),
  TWILIO_ACCOUNT_SID: matching('AC and 32 hexadecimal digits', /^AC[0-9a-f]{32}$/),
  TWILIO_NUMBER: matching('a telephone number in E.164', /^\+[1-9][0-9]{6,14}$/),
} as const;
