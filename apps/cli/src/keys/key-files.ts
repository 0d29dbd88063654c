import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { generateSigningKeyPem, loadSigningKey, publicX } from '@deadlatch/signing';
import { StartError } from '../arguments.ts';
import { keyDirectory, SIGNERS, type Trust } from '../up/keys.ts';
import { readDocument, writeWhole } from '../up/state-dir.ts';
import type { KeySlot } from './slots.ts';

/** The key in use, and the one that will replace it. */
export type KeyPlace = 'current' | 'next';

/** The public half of a key file. */
export interface KeyFile {
  readonly path: string;
  readonly keyid: string;
  readonly x: string;
}

function pathOf(keysRoot: string, { service, purpose }: KeySlot, place: KeyPlace): string {
  const name = place === 'current' ? `${purpose}.pem` : `${purpose}.next.pem`;
  return join(keyDirectory(keysRoot, service), name);
}

/** What lies in a slot; null when nothing does. @throws StartError for a file that is no key */
export async function readKeyFile(keysRoot: string, slot: KeySlot, place: KeyPlace): Promise<KeyFile | null> {
  const path = pathOf(keysRoot, slot, place);
  if (!existsSync(path)) return null;
  const pem = await readFile(path, 'utf8');
  try {
    const key = loadSigningKey(pem);
    return { path, keyid: key.keyId, x: publicX(key.publicKey) };
  } catch {
    // What the parser says may quote the key.
    throw new StartError(`The file ${path} holds no usable key.`);
  }
}

/** Makes a key where there is none. */
export async function makeKeyFile(keysRoot: string, slot: KeySlot, place: KeyPlace): Promise<KeyFile> {
  const directory = keyDirectory(keysRoot, slot.service);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = pathOf(keysRoot, slot, place);
  await writeWhole(path, generateSigningKeyPem(), 0o600);
  // Where each service is a system user of its own, the folder says whose key it is.
  const { uid, gid } = await stat(directory);
  await chown(path, uid, gid);
  const made = await readKeyFile(keysRoot, slot, place);
  if (made === null) throw new StartError(`The key of ${slot.name} was not kept.`);
  return made;
}

/** Puts the next key in the place of the current one, which is gone then. */
export async function takeNextKey(keysRoot: string, slot: KeySlot): Promise<void> {
  await rename(pathOf(keysRoot, slot, 'next'), pathOf(keysRoot, slot, 'current'));
}

/** @throws StartError when there are no keys, or the bundle is damaged */
export async function readTrustFile(keysRoot: string): Promise<Trust> {
  const path = join(keysRoot, 'trust.json');
  if (!existsSync(path))
    throw new StartError(`There are no keys in ${keysRoot}. Start it once with npm start.`);
  return readDocument<Trust>(path);
}

/** Replaces the bundle in every key directory, and the operator's own last: what it says is everywhere. */
export async function writeTrustFiles(keysRoot: string, trust: Trust): Promise<void> {
  const content = `${JSON.stringify(trust, null, 2)}\n`;
  const entries = await readdir(keysRoot, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const name of directories) {
    const path = join(keysRoot, name, 'trust.json');
    if (existsSync(path) || SIGNERS.some((signer) => signer === name)) await writeWhole(path, content, 0o644);
  }
  await writeWhole(join(keysRoot, 'trust.json'), content, 0o644);
}
