import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { type Clock, DispatchError } from '@deadlatch/kernel';
import { ConfigError } from './read-env.ts';

/** What a process shows of itself and whom it trusts, at one moment. */
export interface TlsMaterial {
  readonly leaf: X509Certificate;
  /** PEM of the leaf */
  readonly certificate: string;
  /** PEM (PKCS#8) of its private key */
  readonly key: string;
  /** the certificate authorities of the installation; two while one replaces the other */
  readonly issuers: readonly X509Certificate[];
  /** PEM of the authorities */
  readonly authorities: string;
}

/** `tls.pem`, `tls-key.pem` and `ca.pem` of one process, which somebody else may rewrite at any time. */
export interface TlsFiles {
  readonly environment: string;
  readonly service: ServiceName;
  /** the clock that every expiry is compared with */
  readonly now: Clock;
  /**
   * What the files hold; the same object until they change.
   * @throws DispatchError `unavailable` when the authorities could not be read for a minute
   */
  current(): TlsMaterial;
  /** Why the files as they are now are not used; null while they are. */
  problem(): TlsProblem | null;
}

export type TlsProblem = 'authorities_unusable' | 'certificate_unusable' | 'key_mismatch' | 'foreign_name';

/** How old what was read may be; rewritten files must be noticed within 5 s. */
const REREAD_MS = 2_000;
/** An authority that was taken away must not be trusted for longer just because the file cannot be read. */
const AUTHORITIES_KEPT_MS = 60_000;
const MAX_AUTHORITIES = 2;
/** Whoever replaces key and certificate one after the other needs less than this. */
const FIRST_READ_TRIES = 20;
const FIRST_READ_PAUSE_MS = 25;

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * Opens the TLS files of a key directory.
 *
 * Key and certificate are two files and may be caught half replaced: a pair that does not match is not used, and the
 * pair before it goes on until it expires. The authorities are used as they are in the file, whatever the pair is.
 * @throws ConfigError when at the start the files are not usable or name another service or environment
 * @invariant the certificate shown always belongs to the key, and names exactly this service of this environment
 * @source T4.1, RFC 5280
 */
export function openTlsFiles(options: {
  readonly directory: string;
  readonly environment: string;
  readonly service: ServiceName;
  readonly now: Clock;
}): TlsFiles {
  const { directory, environment, service, now } = options;
  const ownName = `URI:${spiffeId(environment, service)}`;
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  let problem: TlsProblem | null = null;

  const readPair = (held: Pair | undefined): Pair => {
    const certificate = read('tls.pem');
    const key = read('tls-key.pem');
    if (held?.certificate === certificate && held.key === key) return held;
    return parsePair(certificate, key, ownName);
  };
  const readAuthorities = (held: Authorities | undefined): Authorities => {
    const authorities = read('ca.pem');
    return held?.authorities === authorities ? held : parseAuthorities(authorities);
  };

  let held = firstRead(() => ({ ...readPair(undefined), ...readAuthorities(undefined) }));
  let readAt = now();
  let authoritiesAt = readAt;

  const reread = () => {
    problem = null;
    const authorities = attempt(() => readAuthorities(held), 'authorities_unusable');
    const pair = attempt(() => readPair(held), 'certificate_unusable');
    readAt = now();
    if (authorities instanceof Unusable) problem = authorities.problem;
    else authoritiesAt = readAt;
    if (pair instanceof Unusable) problem ??= pair.problem;
    const next = {
      ...(pair instanceof Unusable ? held : pair),
      ...(authorities instanceof Unusable ? pick(held) : pick(authorities)),
    };
    const isSame =
      next.certificate === held.certificate && next.key === held.key && next.authorities === held.authorities;
    if (!isSame) held = next;
  };

  return {
    environment,
    service,
    now,
    current() {
      const age = now() - readAt;
      // A clock that stepped back makes the age negative: read again.
      if (!(age >= 0 && age < REREAD_MS)) reread();
      if (readAt - authoritiesAt >= AUTHORITIES_KEPT_MS) {
        throw new DispatchError('unavailable', { detail: 'authorities_unreadable' });
      }
      return held;
    },
    problem: () => problem,
  };
}

/** The TLS files of a service, or null when it was set up to leave TLS to a mesh. @throws ConfigError */
export function openServiceTls(options: {
  readonly mode: 'on' | 'mesh';
  readonly directory: string;
  readonly environment: string;
  readonly service: ServiceName;
  readonly now: Clock;
}): TlsFiles | null {
  return options.mode === 'mesh' ? null : openTlsFiles(options);
}

type Pair = Pick<TlsMaterial, 'leaf' | 'certificate' | 'key'>;
type Authorities = Pick<TlsMaterial, 'issuers' | 'authorities'>;

function pick({ issuers, authorities }: Authorities): Authorities {
  return { issuers, authorities };
}

class Unusable extends Error {
  readonly problem: TlsProblem;

  constructor(problem: TlsProblem) {
    super(problem);
    this.problem = problem;
  }
}

function parsePair(certificate: string, key: string, ownName: string): Pair {
  const [leaf, ...others] = certificatesIn(certificate, 'certificate_unusable');
  if (leaf === undefined || others.length > 0) throw new Unusable('certificate_unusable');
  const privateKey = attempt(() => createPrivateKey(key), 'key_mismatch');
  if (privateKey instanceof Unusable || !leaf.checkPrivateKey(privateKey)) throw new Unusable('key_mismatch');
  if (leaf.subjectAltName !== ownName) throw new Unusable('foreign_name');
  return { leaf, certificate, key };
}

function parseAuthorities(authorities: string): Authorities {
  const issuers = certificatesIn(authorities, 'authorities_unusable');
  if (issuers.length === 0 || issuers.length > MAX_AUTHORITIES || issuers.some((issuer) => !issuer.ca)) {
    throw new Unusable('authorities_unusable');
  }
  return { issuers, authorities };
}

function certificatesIn(text: string, problem: TlsProblem): X509Certificate[] {
  try {
    return (text.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
  } catch {
    throw new Unusable(problem);
  }
}

/** The result, or why there is none; what a file system or a parser says is told to nobody. */
function attempt<T>(work: () => T, problem: TlsProblem): T | Unusable {
  try {
    return work();
  } catch (error) {
    return error instanceof Unusable ? error : new Unusable(problem);
  }
}

function firstRead<T>(read: () => T): T {
  for (let tries = 1; ; tries += 1) {
    const result = attempt(read, 'certificate_unusable');
    if (!(result instanceof Unusable)) return result;
    if (result.problem !== 'key_mismatch' || tries === FIRST_READ_TRIES) {
      throw new ConfigError([`tls.pem, tls-key.pem or ca.pem in the key directory: ${SAID[result.problem]}`]);
    }
    // Nothing runs yet that could be kept waiting.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FIRST_READ_PAUSE_MS);
  }
}

const SAID: Readonly<Record<TlsProblem, string>> = {
  authorities_unusable: 'there is no usable certificate authority',
  certificate_unusable: 'a file is missing, or there is not exactly one certificate',
  key_mismatch: 'the key does not belong to the certificate',
  foreign_name: 'the certificate does not name exactly this service of this environment',
};
