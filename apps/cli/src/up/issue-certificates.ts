import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type CertificatePlace, dueCertificates, LEAF_LIFETIME_MS } from './certificate-files.ts';
import { keyDirectory } from './keys.ts';
import { writeWhole } from './state-dir.ts';

/** P-256 and not Ed25519: every TLS stack that an operator may put in between speaks it. */
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const AUTHORITY_LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000;
/** Machines whose clocks differ by this much still talk to each other. */
const BACKDATED_MS = 5 * 60_000;

interface Authority {
  readonly pem: string;
  readonly certificate: X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

/**
 * Issues every certificate that is due, or all of them, each with a key of its own, and the certificate authority when there is none.
 *
 * A process may read at any moment, and key and certificate are two files. The key is written first: until the
 * certificate follows the two do not match, which a reader notices and goes on with the pair it has.
 * @returns the services that got a new certificate
 */
export async function issueCertificates(
  place: CertificatePlace,
  now: number,
  which: 'due' | 'all' = 'due',
): Promise<readonly ServiceName[]> {
  const authority = await ensureAuthority(place.authority, place.environment, now);
  const due = which === 'all' ? place.services : await dueCertificates(place, now);
  for (const service of due) {
    const directory = keyDirectory(place.keys, service);
    const { certificate, key } = await issueLeaf(authority, spiffeId(place.environment, service), now);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(join(directory, 'ca.pem'), authority.pem, 0o644);
    await writeWhole(join(directory, 'tls-key.pem'), key, 0o600);
    await writeWhole(join(directory, 'tls.pem'), certificate, 0o644);
  }
  return due;
}

async function ensureAuthority(directory: string, environment: string, now: number): Promise<Authority> {
  const keyPath = join(directory, 'ca-key.pem');
  const path = join(directory, 'ca.pem');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!existsSync(keyPath)) {
    const { privateKey } = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
    await writeWhole(keyPath, await pemOf(privateKey), 0o600);
  }
  const keys = await readKeys(keyPath);
  if (!existsSync(path)) await writeWhole(path, await selfSigned(keys, environment, now), 0o644);
  const pem = await readFile(path, 'utf8');
  return { pem, certificate: new X509Certificate(pem), privateKey: keys.privateKey };
}

async function selfSigned(keys: webcrypto.CryptoKeyPair, environment: string, now: number): Promise<string> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${environment}.deadlatch`,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_LIFETIME_MS),
    keys,
    signingAlgorithm: ECDSA,
    extensions: [
      // It signs services, and nobody whom it signs may sign others.
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** @source SPIFFE X.509-SVID sections 2 and 4: one URI, no other name, a key that only signs */
async function issueLeaf(
  authority: Authority,
  name: string,
  now: number,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    // Critical, since there is no subject beside it.
    new SubjectAlternativeNameExtension([{ type: 'url', value: name }], true),
  ];
  const certificate = await X509CertificateGenerator.create({
    issuer: authority.certificate.subject,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + LEAF_LIFETIME_MS),
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: ECDSA,
    extensions,
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await pemOf(keys.privateKey) };
}

async function readKeys(path: string): Promise<webcrypto.CryptoKeyPair> {
  const pem = await readFile(path, 'utf8');
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, ECDSA, true, ['sign']);
  const { kty = '', crv = '', x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', privateKey);
  const publicKey = await webcrypto.subtle.importKey('jwk', { kty, crv, x, y }, ECDSA, true, ['verify']);
  return { privateKey, publicKey };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const body = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${body.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}
