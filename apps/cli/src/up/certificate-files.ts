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

/** Services whose certificate is missing, of another authority or name, without its key, or near its end. */
export async function dueCertificates(place: CertificatePlace, now: number): Promise<ServiceName[]> {
  const authority = await readAuthority(place);
  const due: ServiceName[] = [];
  for (const service of place.services) {
    const directory = keyDirectory(place.keys, service);
    const isGood =
      authority !== null &&
      (await isUsable(directory, spiffeId(place.environment, service), authority, now + RENEW_BEFORE_MS));
    if (!isGood) due.push(service);
  }
  return due;
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

interface Authority {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

async function readAuthority({ authority }: CertificatePlace): Promise<Authority | null> {
  try {
    const pem = await readFile(join(authority, 'ca.pem'), 'utf8');
    return { pem, certificate: new X509Certificate(pem) };
  } catch {
    return null;
  }
}

async function isUsable(
  directory: string,
  name: string,
  { pem, certificate }: Authority,
  until: number,
): Promise<boolean> {
  const leaf = await readLeaf(directory);
  const key = await readKey(join(directory, 'tls-key.pem'));
  const trusted = await readFile(join(directory, 'ca.pem'), 'utf8').catch(() => null);
  return (
    leaf !== null &&
    key !== null &&
    trusted === pem &&
    leaf.subjectAltName === `URI:${name}` &&
    leaf.checkIssued(certificate) &&
    leaf.verify(certificate.publicKey) &&
    leaf.checkPrivateKey(key) &&
    leaf.validToDate.getTime() > until
  );
}

async function readKey(path: string): Promise<KeyObject | null> {
  try {
    return createPrivateKey(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}
