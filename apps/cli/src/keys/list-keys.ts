import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyEntry, Trust } from '../up/keys.ts';
import { readKeyFile, readTrustFile } from './key-files.ts';
import { KEY_SLOTS, type KeySlot, pinsOf } from './slots.ts';

export type KeyState =
  /** its holder signs with it */
  | 'current'
  /** pinned, and not yet in use */
  | 'next'
  /** no longer in use, and still accepted until its end */
  | 'retiring'
  | 'expired'
  | 'revoked'
  /** in use, and nobody accepts it */
  | 'not_pinned';

/** One key or certificate, public parts only. Times are RFC 3339; null where it has none. */
export interface ListedKey {
  /** Whose it is: a service, or a person who may act as the operator. */
  readonly service: string;
  readonly purpose: 'signing' | 'grant' | 'token' | 'operator' | 'log' | 'witness' | 'tls' | 'ca';
  readonly keyid: string;
  readonly state: KeyState;
  readonly from: string | null;
  readonly until: string | null;
  readonly revoked_at: string | null;
}

/** Every key of an installation, as its files and its trust bundle have them. @throws StartError when there are none */
export async function listKeys(keysRoot: string, nowMs: number): Promise<readonly ListedKey[]> {
  const trust = await readTrustFile(keysRoot);
  const listed: ListedKey[] = [];
  for (const slot of KEY_SLOTS) listed.push(...(await listSlot(keysRoot, trust, slot, nowMs)));
  for (const key of trust.operators)
    listed.push(fromPin(key.name, 'operator', key, overOr('current', key, nowMs)));
  listed.push(fromLine('sequencer', 'log', trust.log.key));
  for (const line of trust.witnesses.keys) listed.push(fromLine('witness', 'witness', line));
  return [...listed, ...(await listCertificates(keysRoot, nowMs))];
}

async function listSlot(
  keysRoot: string,
  trust: Trust,
  slot: KeySlot,
  nowMs: number,
): Promise<readonly ListedKey[]> {
  const current = await readKeyFile(keysRoot, slot, 'current');
  const next = await readKeyFile(keysRoot, slot, 'next');
  const pins = pinsOf(trust, slot);
  const inUse = pins.find(({ keyid }) => keyid === current?.keyid);
  const stateOf = (pin: KeyEntry): KeyState => {
    if (pin === inUse) return 'current';
    const isLater = inUse !== undefined && pin.from > inUse.from;
    return pin.keyid === next?.keyid || isLater ? 'next' : 'retiring';
  };
  const listed = pins.map((pin) =>
    fromPin(slot.service, slot.purpose, pin, overOr(stateOf(pin), pin, nowMs)),
  );
  if (current === null || inUse !== undefined) return listed;
  const { keyid } = current;
  const unknown = { from: null, until: null, revoked_at: null };
  return [
    ...listed,
    { service: slot.service, purpose: slot.purpose, keyid, state: 'not_pinned', ...unknown },
  ];
}

function overOr(state: KeyState, pin: KeyEntry, nowMs: number): KeyState {
  if (pin.revoked_at !== undefined) return 'revoked';
  return Date.parse(pin.until) <= nowMs ? 'expired' : state;
}

function fromPin(
  service: string,
  purpose: ListedKey['purpose'],
  { keyid, from, until, revoked_at }: KeyEntry,
  state: KeyState,
): ListedKey {
  return { service, purpose, keyid, state, from, until, revoked_at: revoked_at ?? null };
}

/** A note key has no end: what was signed with it is verified with it for as long as the log is kept. */
function fromLine(service: string, purpose: 'log' | 'witness', line: string): ListedKey {
  // <name>+<hash>+<base64 of type and key>. @source C2SP signed-note
  const keyid = line.split('+').slice(0, 2).join('+');
  return { service, purpose, keyid, state: 'current', from: null, until: null, revoked_at: null };
}

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

async function listCertificates(keysRoot: string, nowMs: number): Promise<readonly ListedKey[]> {
  const entries = await readdir(keysRoot, { withFileTypes: true });
  const authorities = new Map<string, ListedKey>();
  const leaves: ListedKey[] = [];
  for (const { name: service } of entries.filter((entry) => entry.isDirectory())) {
    const read = async (file: string) => {
      const text = await readFile(join(keysRoot, service, file), 'utf8').catch(() => '');
      return (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
    };
    for (const leaf of await read('tls.pem')) leaves.push(fromCertificate(service, 'tls', leaf, nowMs));
    // The same in every folder.
    for (const ca of await read('ca.pem'))
      authorities.set(ca.fingerprint256, fromCertificate('cli', 'ca', ca, nowMs));
  }
  return [...authorities.values(), ...leaves];
}

function fromCertificate(
  service: string,
  purpose: 'tls' | 'ca',
  certificate: X509Certificate,
  nowMs: number,
): ListedKey {
  const { validFromDate: from, validToDate: until } = certificate;
  return {
    service,
    purpose,
    keyid: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url'),
    state: until.getTime() <= nowMs ? 'expired' : 'current',
    from: from.toISOString(),
    until: until.toISOString(),
    revoked_at: null,
  };
}
