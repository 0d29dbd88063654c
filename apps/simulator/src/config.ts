import { readFileSync } from 'node:fs';
import { ConfigError, openKeyDirectory, readEnv, type Secret } from '@deadlatch/http';
import { SIMULATOR_ENV } from './env.ts';
import { isLoopbackName } from './loopback.ts';
import { type Person, readPeople } from './people.ts';

/** The simulator's settings, proven. */
export interface SimulatorConfig {
  readonly host: string;
  readonly port: number;
  readonly smtpPort: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Where the played carrier posts its webhooks, without a trailing slash. */
  readonly gatewayUrl: string;
  readonly accountSid: string;
  readonly number: string;
  readonly people: readonly Person[];
}

/**
 * Reads settings, people and the carrier's token.
 * @throws ConfigError naming what is wrong; also for any address that is not this machine
 * @source C.7
 */
export function loadSimulatorConfig(env: Readonly<Record<string, string | undefined>>): {
  readonly config: SimulatorConfig;
  readonly carrierToken: Secret;
} {
  const read = readEnv(SIMULATOR_ENV, env);
  const problems: string[] = [];
  const people = peopleIn(read.SIMULATOR_PEOPLE, problems);
  if (!isLoopbackName(new URL(read.GATEWAY_PUBLIC_URL).hostname)) {
    problems.push('GATEWAY_PUBLIC_URL must be this machine: the simulator signs like a carrier');
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config: {
      host: read.DEADLATCH_HOST,
      port: read.DEADLATCH_PORT,
      smtpPort: read.SIMULATOR_SMTP_PORT,
      logLevel: read.DEADLATCH_LOG_LEVEL,
      gatewayUrl: read.GATEWAY_PUBLIC_URL,
      accountSid: read.TWILIO_ACCOUNT_SID,
      number: read.TWILIO_NUMBER,
      people,
    },
    carrierToken: openKeyDirectory(read.DEADLATCH_KEY_DIR).secret('twilio-auth-token'),
  };
}

function peopleIn(path: string, problems: string[]): readonly Person[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch {
    problems.push('SIMULATOR_PEOPLE is not a readable file');
    return [];
  }
  try {
    return readPeople(bytes);
  } catch (error) {
    problems.push(`SIMULATOR_PEOPLE: ${error instanceof Error ? error.message : 'unusable'}`);
    return [];
  }
}
