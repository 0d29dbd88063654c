import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  BasicConstraintsExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** A certificate with its private key, as PEM; it can sign others, whether anybody accepts that or not. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly subject: string;
  readonly privateKey: webcrypto.CryptoKey;
}

export interface LeafOptions {
  /** one list for each extension of subject alternative names; nothing keeps a signer from writing two */
  readonly names: readonly (readonly JsonGeneralName[])[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export const uri = (value: string): JsonGeneralName => ({ type: 'url', value });

/** A certificate authority of its own. */
export function createAuthority(): Promise<Issued> {
  return issue(undefined, { notAfter: new Date(Date.now() + 30 * DAY_MS) }, [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
  ]);
}

/** Whatever is asked for, signed by `signer`. */
export function issueLeaf(signer: Issued, options: LeafOptions): Promise<Issued> {
  const names = options.names.map((list) => new SubjectAlternativeNameExtension([...list], true));
  return issue(signer, options, names);
}

/** The certificate that a service should have. */
export function issueFor(signer: Issued, environment: string, service: ServiceName): Promise<Issued> {
  return issueLeaf(signer, { names: [[uri(spiffeId(environment, service))]] });
}

async function issue(
  signer: Issued | undefined,
  { notBefore, notAfter }: Pick<LeafOptions, 'notBefore' | 'notAfter'>,
  extensions: Extension[],
): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const subject = `CN=${webcrypto.randomUUID()}`;
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: signer?.subject ?? subject,
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + DAY_MS),
    publicKey: keys.publicKey,
    signingKey: signer?.privateKey ?? keys.privateKey,
    signingAlgorithm: ECDSA,
    extensions,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    subject,
    privateKey: keys.privateKey,
  };
}

/** Writes what is given into a key directory, each file as a whole; makes a directory unless told which. */
export async function writeTlsFiles(
  files: { readonly leaf?: Issued; readonly authorities?: readonly Issued[] },
  directory?: string,
): Promise<string> {
  const into = directory ?? (await mkdtemp(join(tmpdir(), 'deadlatch-tls-')));
  const put = async (name: string, content: string) => {
    await writeFile(join(into, `${name}.part`), content);
    await rename(join(into, `${name}.part`), join(into, name));
  };
  if (files.authorities) await put('ca.pem', files.authorities.map((ca) => ca.certificate).join(''));
  if (files.leaf) {
    await put('tls-key.pem', files.leaf.key);
    await put('tls.pem', files.leaf.certificate);
  }
  return into;
}
