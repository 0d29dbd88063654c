import type { ServiceName } from '@deadlatch/catalogue';
import { UsageError } from '../arguments.ts';
import { type KeyEntry, SIGNERS, type Trust } from '../up/keys.ts';

/** A place for one key that can be replaced while everything runs. */
export interface KeySlot {
  /** As it is said on the command line. */
  readonly name: string;
  readonly service: ServiceName;
  readonly purpose: 'signing' | 'grant' | 'token';
}

const GRANT: KeySlot = { name: 'grant', service: 'dispatch-api', purpose: 'grant' };
const TOKEN: KeySlot = { name: 'token', service: 'identity', purpose: 'token' };

/** Every slot: one for each service that signs requests, and the two keys that sign statements. */
export const KEY_SLOTS: readonly KeySlot[] = [
  ...SIGNERS.map((service): KeySlot => ({ name: service, service, purpose: 'signing' })),
  GRANT,
  TOKEN,
];

/** @throws UsageError naming what there is */
export function slotNamed(name: string | undefined): KeySlot {
  const found = KEY_SLOTS.find((slot) => slot.name === name);
  if (found) return found;
  throw new UsageError(
    `there is no key "${name ?? ''}"; there are ${KEY_SLOTS.map((slot) => slot.name).join(', ')}`,
  );
}

/** The keys that are pinned for a slot, over and revoked ones too. */
export function pinsOf(trust: Trust, { purpose, service }: KeySlot): readonly KeyEntry[] {
  if (purpose === 'grant') return trust.grant_keys;
  if (purpose === 'token') return trust.token_keys;
  return trust.services.filter((key) => key.service === service);
}

/** The bundle with one more key in a slot. */
export function withPin(trust: Trust, { purpose, service }: KeySlot, pin: KeyEntry): Trust {
  if (purpose === 'grant') return { ...trust, grant_keys: [...trust.grant_keys, pin] };
  if (purpose === 'token') return { ...trust, token_keys: [...trust.token_keys, pin] };
  return { ...trust, services: [...trust.services, { service, ...pin }] };
}

/** The bundle with something about one key changed, whichever slot it is in. */
export function withChange(trust: Trust, keyId: string, change: Partial<KeyEntry>): Trust {
  const changed = <Entry extends KeyEntry>(entries: readonly Entry[]) =>
    entries.map((entry) => (entry.keyid === keyId ? { ...entry, ...change } : entry));
  return {
    ...trust,
    services: changed(trust.services),
    grant_keys: changed(trust.grant_keys),
    token_keys: changed(trust.token_keys),
  };
}

/** Whether a pinned key counts at that time. */
export function isUsable(pin: KeyEntry, nowMs: number): boolean {
  return pin.revoked_at === undefined && Date.parse(pin.from) <= nowMs && nowMs < Date.parse(pin.until);
}
