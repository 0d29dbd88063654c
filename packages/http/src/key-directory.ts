import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadInboxKey, loadSigningKey, type ServiceKeyPair } from '@deadlatch/signing';
import { ConfigError } from './read-env.ts';
import { Secret } from './secret.ts';
import { parseTrustBundle, type TrustBundle } from './trust-bundle.ts';

const FILE_NAME = /^[a-z][a-z0-9.-]{0,63}$/;
const SECRET_BYTES = 32;

/** The one folder of keys that a service may read: its own. Nothing is read before it is asked for. */
export interface KeyDirectory {
  /** `signing.pem` */
  signingKey(): ServiceKeyPair;
  /** another Ed25519 key, e.g. `grant.pem` */
  keyPair(name: string): ServiceKeyPair;
  /** an X25519 key, e.g. `inbox.pem` */
  inboxKey(name: string): ReturnType<typeof loadInboxKey>;
  /** the text of a file, without the line feed at its end */
  secret(name: string): Secret;
  /** a file of exactly 32 bytes in base64url, e.g. `kek.key` */
  secretBytes(name: string): Buffer;
  /** `trust.json`, read again on every call */
  trust(): TrustBundle;
}

/**
 * Opens a key directory. Every method throws ConfigError when its file is missing or not what it must be;
 * the text names the file, never what is in it.
 */
export function openKeyDirectory(directory: string): KeyDirectory {
  const read = (name: string): Buffer => {
    if (!FILE_NAME.test(name)) throw new ConfigError(['a key file has a name that is not allowed']);
    try {
      return readFileSync(join(directory, name));
    } catch {
      throw new ConfigError([`the key directory has no readable ${name}`]);
    }
  };
  const parsed = <T>(name: string, parse: (text: string) => T | undefined): T => {
    const content = read(name)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    try {
      const value = content === '' ? undefined : parse(content);
      if (value !== undefined) return value;
    } catch {
      // The reason may quote the key.
    }
    throw new ConfigError([`${name} in the key directory is not usable`]);
  };
  return {
    signingKey: () => parsed('signing.pem', loadSigningKey),
    keyPair: (name) => parsed(name, loadSigningKey),
    inboxKey: (name) => parsed(name, loadInboxKey),
    secret: (name) => parsed(name, (content) => new Secret(content)),
    secretBytes: (name) =>
      parsed(name, (content) => {
        const bytes = new Secret(content).bytes();
        return bytes?.byteLength === SECRET_BYTES ? bytes : undefined;
      }),
    trust: () => parseTrustBundle(read('trust.json')),
  };
}
