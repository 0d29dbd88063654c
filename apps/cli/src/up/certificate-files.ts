import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { keyDirectory } from './keys.ts';

/** How long a service's certificate lives, and how much of that is left when it is issued again. */
export const LEAF_LIFETIME_MS = 24 * 60 * 60 * 1000;
const RENEW_BEFORE_MS = LEAF_LIFETIME_MS / 3;

/** Where the certificate authority of an installation is kept, and whom it issues for. */
export interface CertificatePlace {
  /** `ca-key.pem` and `ca.pem`, read by whoever issues and by nobody else */
  readonly authority: string;
  /** the folder that holds each service's key directory */
  readonly keys: string;
  readonly environment: string;
  /** whoever calls another one or is called */
  readonly services: readonly ServiceName[];
}

/** `ca.pem` without `ca-key.pem`: somebody else issues and writes into the key directories. */
export function isIssuedElsewhere({ authority }: Pick<CertificatePlace, 'authority'>): boolean {
  return existsSync(join(authority, 'ca.pem')) && !existsSync(join(authority, 'ca-key.pem'));
}

/** Services whose certificate is not usable, or is near its end. */
export async function dueCertificates(place: CertificatePlace, now: number): Promise<ServiceName[]> {
  const due: ServiceName[] = [];
  for (const service of place.services) {
    if ((await whatIsWrong(place, service, now + RENEW_BEFORE_MS)) !== null) due.push(service);
  }
  return due;
}

export type LeafProblem =
  | 'no_authority'
  | 'missing'
  | 'expired'
  | 'foreign_name'
  | 'key_mismatch'
  | 'other_authority';

/** Why nobody would accept a service's certificate, or let it check theirs, at `time`; null when all is well. */
export async function whatIsWrong(
  place: CertificatePlace,
  service: ServiceName,
  time: number,
): Promise<LeafProblem | null> {
  const directory = keyDirectory(place.keys, service);
  const [authority, leaf, key, trusted] = await Promise.all([
    readAuthority(place),
    readLeaf(directory),
    readKey(join(directory, 'tls-key.pem')),
    readFile(join(directory, 'ca.pem'), 'utf8').catch(() => null),
  ]);
  if (authority === null) return 'no_authority';
  if (leaf === null || key === null) return 'missing';
  const isOurs = authority.certificates.some((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
  if (!isOurs || trusted !== authority.pem) return 'other_authority';
  if (leaf.subjectAltName !== `URI:${spiffeId(place.environment, service)}`) return 'foreign_name';
  if (!leaf.checkPrivateKey(key)) return 'key_mismatch';
  return leaf.validToDate.getTime() > time ? null : 'expired';
}

/** What a service shows of itself at the moment. @returns null when there is no certificate that can be read */
export async function readLeaf(directory: string): Promise<X509Certificate | null> {
  return readFile(join(directory, 'tls.pem'), 'utf8')
    .then(
      (pem) => new X509Certificate(pem),
      () => null,
    )
    .catch(() => null);
}

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

interface Authority {
  readonly pem: string;
  /** Two while somebody else replaces one by the other. */
  readonly certificates: readonly X509Certificate[];
}

async function readAuthority({ authority }: CertificatePlace): Promise<Authority | null> {
  try {
    const pem = await readFile(join(authority, 'ca.pem'), 'utf8');
    const certificates = (pem.match(PEM) ?? []).map((text) => new X509Certificate(text));
    return certificates.length === 0 ? null : { pem, certificates };
  } catch {
    return null;
  }
}

async function readKey(path: string): Promise<KeyObject | null> {
  try {
    return createPrivateKey(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}
