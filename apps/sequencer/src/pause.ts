import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, or less when told to stop. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}
