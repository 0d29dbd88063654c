import { readEnv, text } from '@deadlatch/http';

/** Everything this process reads from its environment. @throws ConfigError naming every problem at once */
export function readSettings(env: Readonly<Record<string, string | undefined>>) {
  return readEnv({ IMAGER_SOCKET: text(1_000) }, env);
}

export type Settings = ReturnType<typeof readSettings>;
