import type { KeyEntry } from '../up/keys.ts';
import { type PlannedKey, planNextKey, putOf } from './issue-key.ts';
import { readKeyFile, takeNextKey } from './key-files.ts';
import type { KeyChange, OpenKeys } from './open-keys.ts';
import { isUsable, type KeySlot, pinsOf } from './slots.ts';

/** Every receiver reads its keys again within 30 s; the rest is for the clock of this machine. @source T4.2 */
export const KNOWN_EVERYWHERE_MS = 35_000;
/** A sender notices its new file within 5 s, and what it signed before lives 60 s. */
export const SHORTEST_OVERLAP_S = 65;
/**
 * Twice what signatures and tokens need. A turn lasts 10 minutes and an approval page 15, each with a grant that was
 * signed when it began; clocks may differ by 5 s.
 */
const OVERLAP_S: Readonly<Record<KeySlot['purpose'], number>> = { signing: 130, token: 130, grant: 970 };

export interface RotatedKey {
  readonly slot: KeySlot;
  readonly keyid: string;
  /** The key before it; null when that is not accepted any more. */
  readonly old: KeyEntry | null;
}

/**
 * Replaces keys while everything runs: pins the new ones, waits until every receiver knows them, puts them in place,
 * and ends the old ones when nothing signed with them lives any more. Begun again after it was interrupted, it goes on.
 * @param wait resolves after so many milliseconds
 */
export async function rotateKeys(
  keys: OpenKeys,
  slots: readonly KeySlot[],
  options: {
    readonly overlapS: number | undefined;
    readonly now: () => number;
    readonly wait: (ms: number) => Promise<void>;
  },
): Promise<readonly RotatedKey[]> {
  const { now, wait } = options;
  const currents = new Map<KeySlot, string>();
  for (const slot of slots) {
    // Without a file there may still be a process that holds the key and signs with it.
    const current = await readKeyFile(keys.keysRoot, slot, 'current').catch(() => null);
    if (current !== null) currents.set(slot, current.keyid);
  }
  const nexts: PlannedKey[] = [];
  for (const slot of slots) nexts.push(await planNextKey(keys, slot, now()));
  await keys.apply(nexts.filter(({ isNew }) => isNew).map(putOf));

  // Where nobody accepts the key in use any more there is nothing to keep alive.
  const trust = await keys.trust();
  const isNext = (keyid: string) => nexts.some((next) => next.keyid === keyid);
  const isAnyAlive = slots.some((slot) => {
    const inUse = currents.get(slot);
    return pinsOf(trust, slot).some(
      (pin) => (inUse === undefined ? !isNext(pin.keyid) : pin.keyid === inUse) && isUsable(pin, now()),
    );
  });
  if (keys.isServed && isAnyAlive) {
    const since = Math.max(...nexts.map(({ pin }) => Date.parse(pin.from)));
    await wait(Math.max(0, since + KNOWN_EVERYWHERE_MS - now()));
  }
  for (const slot of slots) await takeNextKey(keys.keysRoot, slot);

  const retired: KeyChange[] = [];
  const rotated = nexts.map(({ slot, keyid }) => {
    const latestMs = now() + (options.overlapS ?? OVERLAP_S[slot.purpose]) * 1_000;
    // All of them: an earlier rotation that was interrupted here may have left one.
    const olds = pinsOf(trust, slot)
      .filter((pin) => pin.keyid !== keyid && isUsable(pin, now()))
      .map((pin) => ({ ...pin, until: new Date(Math.min(latestMs, Date.parse(pin.until))).toISOString() }));
    retired.push(...olds.map((pin) => ({ slot, deed: 'retire' as const, pin })));
    const inUse = currents.get(slot);
    const old = inUse === undefined ? olds.at(-1) : olds.find((pin) => pin.keyid === inUse);
    return { slot, keyid, old: old ?? null };
  });
  await keys.apply(retired);
  return rotated;
}
