import { KEY_LIFETIME_MS, type KeyEntry } from '../up/keys.ts';
import { type KeyFile, makeKeyFile, readKeyFile } from './key-files.ts';
import type { KeyChange, OpenKeys } from './open-keys.ts';
import { type KeySlot, pinsOf } from './slots.ts';

/** A key that is pinned and lies in its slot. */
export interface IssuedKey {
  readonly slot: KeySlot;
  readonly keyid: string;
  /** Of the private key. */
  readonly path: string;
  /** `first`: in use at once; `next`: in use when it is rotated in; `found`: somebody else put the file there. */
  readonly kind: 'first' | 'next' | 'found';
  readonly pin: KeyEntry;
}

/** Clocks of receivers may be behind ours; the first key must count at once. */
const FIRST_KEY_AGE_MS = 60_000;

/**
 * Pins a key for a slot: the one that somebody put into its files and nobody pinned, or a new one. A slot without a
 * key gets its first; else the new key waits beside the one in use.
 */
export async function issueKey(keys: OpenKeys, slot: KeySlot, nowMs: number): Promise<IssuedKey> {
  const plan = await planKey(keys, slot, nowMs);
  if (plan.isNew) await keys.apply([putOf(plan)]);
  return plan;
}

export interface PlannedKey extends IssuedKey {
  /** Whether it still has to be pinned. */
  readonly isNew: boolean;
}

/** The change that pins a planned key. */
export function putOf({ slot, pin }: PlannedKey): KeyChange {
  return { slot, deed: 'put', pin };
}

/** The key that `issueKey` pins, its file in place. */
async function planKey(keys: OpenKeys, slot: KeySlot, nowMs: number): Promise<PlannedKey> {
  const current = await readKeyFile(keys.keysRoot, slot, 'current');
  if (current === null) {
    const made = await makeKeyFile(keys.keysRoot, slot, 'current');
    return planned(slot, made, 'first', nowMs - FIRST_KEY_AGE_MS, nowMs);
  }
  const isPinned = pinsOf(await keys.trust(), slot).some(({ keyid }) => keyid === current.keyid);
  return isPinned ? planNextKey(keys, slot, nowMs) : planned(slot, current, 'found', nowMs, nowMs);
}

/** The key that will replace the one in use: the one that lies there already, or a new one. */
export async function planNextKey(keys: OpenKeys, slot: KeySlot, nowMs: number): Promise<PlannedKey> {
  const found = await readKeyFile(keys.keysRoot, slot, 'next');
  const pin = pinsOf(await keys.trust(), slot).find(({ keyid }) => keyid === found?.keyid);
  if (found !== null && pin !== undefined)
    return { slot, keyid: found.keyid, path: found.path, kind: 'next', pin, isNew: false };
  const file = found ?? (await makeKeyFile(keys.keysRoot, slot, 'next'));
  return planned(slot, file, found === null ? 'next' : 'found', nowMs, nowMs);
}

function planned(
  slot: KeySlot,
  { keyid, path, x }: KeyFile,
  kind: IssuedKey['kind'],
  fromMs: number,
  nowMs: number,
): PlannedKey {
  const from = new Date(fromMs).toISOString();
  const until = new Date(nowMs + KEY_LIFETIME_MS).toISOString();
  return { slot, keyid, path, kind, pin: { keyid, x, from, until }, isNew: true };
}
