import { rm } from 'node:fs/promises';
import type { RunFile } from '../run-file.ts';
import { writeWhole } from './state-dir.ts';

/** `run.json` while the system runs. */
export interface RunNotice {
  /** Something changed: writes it anew soon. Never throws and never waits. */
  renew(): void;
  /** Removes it; nothing writes it again. */
  takeDown(): Promise<void>;
}

/**
 * Writes `run.json` and keeps it true. Processes die together, so their news do not overlap: one write at a time,
 * each of what is true when it begins.
 * @throws the file system's error when it cannot be written the first time
 */
export async function putUpNotice(
  path: string,
  run: () => RunFile,
  say: (line: string) => void,
): Promise<RunNotice> {
  let isDown = false;
  const write = async () => {
    if (!isDown) await writeWhole(path, `${JSON.stringify(run(), null, 2)}\n`, 0o644);
  };
  await write();
  let last = Promise.resolve();
  return {
    renew() {
      last = last.then(write).catch(() => say(`${path} could not be written and may be out of date`));
    },
    async takeDown() {
      isDown = true;
      await last;
      await rm(path, { force: true });
    },
  };
}
