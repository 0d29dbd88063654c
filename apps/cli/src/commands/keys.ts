import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICES } from '@deadlatch/catalogue';
import { type Arguments, EXIT, UsageError } from '../arguments.ts';
import { issueKey } from '../keys/issue-key.ts';
import { type ListedKey, listKeys as readKeys } from '../keys/list-keys.ts';
import { withKeys } from '../keys/open-keys.ts';
import { revokeKey } from '../keys/revoke-key.ts';
import { certificatePlace, rotateCertificates } from '../keys/rotate-certificates.ts';
import { rotateKeys, SHORTEST_OVERLAP_S } from '../keys/rotate-keys.ts';
import { KEY_SLOTS, slotNamed } from '../keys/slots.ts';
import { isIssuedElsewhere } from '../up/certificate-files.ts';
import { ensureInstallation } from '../up/installation.ts';
import { ensureKeys } from '../up/keys.ts';
import { prepareStateDir, type StateDir, stateDirAt } from '../up/state-dir.ts';

/** Long enough for whoever keeps keys for reasons of their own, and no way to forget one. */
const LONGEST_OVERLAP_S = 30 * 24 * 3_600;
const STEP_MS = 1_000;

/** `deadlatch keys list`: every key and certificate with its state and times. Public parts only. */
export async function listKeys(args: Arguments): Promise<number> {
  const keys = await readKeys(stateDirAt(args.stateDir).keys, Date.now());
  if (args.json) process.stdout.write(`${JSON.stringify(keys)}\n`);
  else for (const key of keys) process.stdout.write(`${lineOf(key)}\n`);
  return EXIT.done;
}

/**
 * `deadlatch keys issue <service>`: a service's first key, or the one that will replace it. In a state directory
 * without keys it makes all that an installation begins with.
 */
export async function issueServiceKey(args: Arguments): Promise<number> {
  const slot = slotNamed(oneWord(args, 'issue takes a service, grant or token'));
  const state = stateDirAt(args.stateDir);
  if (!existsSync(join(state.keys, 'trust.json'))) return makeFirstKeys(args, state);
  return withKeys(args, Date.now, async (keys) => {
    const { keyid, path, kind, pin } = await issueKey(keys, slot, Date.now());
    const { from, until } = pin;
    const done = { service: slot.service, purpose: slot.purpose, keyid, state: kind, path, from, until };
    const use = {
      first: 'in use when its process starts',
      next: `in use after: deadlatch keys rotate ${slot.name}`,
      found: 'found in its file and pinned',
    };
    say(args, done, [`Issued ${keyid} for ${slot.name}: ${use[kind]}`, `Private key: ${path}`]);
    return EXIT.done;
  });
}

async function makeFirstKeys(args: Arguments, state: StateDir): Promise<number> {
  await prepareStateDir(state);
  const { environment, profile } = await ensureInstallation(state, args.profile);
  const services = SERVICES.filter((name) => profile === 'demo' || name !== 'simulator');
  await ensureKeys(state.keys, environment, services, Date.now());
  const keys = await readKeys(state.keys, Date.now());
  say(args, keys, [`Made the keys of a new installation in ${state.keys}:`, ...keys.map(lineOf)]);
  return EXIT.done;
}

/** `deadlatch keys rotate <service>|grant|token|tls|all [--overlap SECONDS]`: replaces keys while everything runs. */
export async function rotateServiceKeys(args: Arguments): Promise<number> {
  const name = oneWord(args, 'rotate takes a service, grant, token, tls or all');
  const slots = name === 'all' ? KEY_SLOTS : name === 'tls' ? [] : [slotNamed(name)];
  const overlapS = overlapOf(args.overlap);
  return withKeys(args, Date.now, async (keys) => {
    const wait = (ms: number) => waitVisibly(ms, 'every process learns of the new key');
    const rotated = await rotateKeys(keys, slots, { overlapS, now: Date.now, wait });
    const place = await certificatePlace(stateDirAt(args.stateDir));
    const isOurs =
      name === 'tls' || (name === 'all' && place.services.length > 0 && !isIssuedElsewhere(place));
    const certified = isOurs ? place.services : [];
    if (isOurs) await rotateCertificates(place);
    const report = rotated.map(({ slot, keyid, old }) => ({
      service: slot.service,
      purpose: slot.purpose,
      keyid,
      old_keyid: old?.keyid ?? null,
      old_until: old?.until ?? null,
    }));
    const lines = rotated.map(({ slot, keyid, old }) =>
      old === null
        ? `${slot.name}: now ${keyid}`
        : `${slot.name}: now ${keyid}; ${old.keyid} is accepted until ${old.until}`,
    );
    if (certified.length > 0) lines.push(`tls: new certificates for ${certified.join(', ')}`);
    say(args, name === 'tls' ? { certified } : report, lines);
    return EXIT.done;
  });
}

/** `deadlatch keys revoke <keyid> [--yes]`: within 60 s nobody accepts that key any more. */
export async function revokeServiceKey(args: Arguments): Promise<number> {
  const keyId = oneWord(args, 'revoke takes the id of a key; see deadlatch keys list');
  return withKeys(args, Date.now, async (keys) => {
    const { slot, pin, isSilenced } = await revokeKey(keys, keyId, args.yes, Date.now());
    const { service, purpose } = slot;
    const done = { service, purpose, keyid: pin.keyid, revoked_at: pin.revoked_at, is_silenced: isSilenced };
    say(args, done, [
      `Revoked ${pin.keyid} of ${slot.name}: refused everywhere within 60 s.`,
      ...(isSilenced ? [`${slot.name} has no key now: deadlatch keys rotate ${slot.name}`] : []),
    ]);
    return EXIT.done;
  });
}

function lineOf({ service, purpose, keyid, state, from, until }: ListedKey): string {
  const times = from === null || until === null ? '' : `  ${shortTime(from)} .. ${shortTime(until)}`;
  return `${service.padEnd(15)} ${purpose.padEnd(8)} ${state.padEnd(10)} ${keyid}${times}`;
}

function shortTime(instant: string): string {
  return `${instant.slice(0, 19)}Z`;
}

function oneWord(args: Arguments, sentence: string): string {
  const [, word, ...more] = args.words;
  if (word === undefined || more.length > 0) throw new UsageError(`keys ${sentence}`);
  return word;
}

function overlapOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = /^\d{1,7}$/.test(given) ? Number(given) : Number.NaN;
  if (seconds >= SHORTEST_OVERLAP_S && seconds <= LONGEST_OVERLAP_S) return seconds;
  throw new UsageError(
    `--overlap takes ${SHORTEST_OVERLAP_S} to ${LONGEST_OVERLAP_S} seconds: what was signed with the old key lives that long; to stop a key at once, revoke it`,
  );
}

function say(args: Arguments, document: unknown, lines: readonly string[]): void {
  process.stdout.write(args.json ? `${JSON.stringify(document)}\n` : `${lines.join('\n')}\n`);
}

/** Waits, and on a terminal counts the seconds down. */
async function waitVisibly(ms: number, why: string): Promise<void> {
  const until = Date.now() + ms;
  const isTerminal = process.stderr.isTTY;
  if (ms > 0 && !isTerminal) process.stderr.write(`waiting ${Math.ceil(ms / 1_000)} s: ${why}\n`);
  for (let left = ms; left > 0; left = until - Date.now()) {
    if (isTerminal) process.stderr.write(`\rwaiting ${Math.ceil(left / 1_000)} s: ${why} `);
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, STEP_MS)));
  }
  if (isTerminal && ms > 0) process.stderr.write('\r\u001b[K');
}
