import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVICES } from '@deadlatch/catalogue';
import type { CertificatePlace } from '../up/certificate-files.ts';
import { renewCertificates } from '../up/certificates.ts';
import type { Installation } from '../up/installation.ts';
import { keyDirectory } from '../up/keys.ts';
import { readDocument, type StateDir } from '../up/state-dir.ts';

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));

/** Where the certificates of an installation are, and which services have one. */
export async function certificatePlace(state: StateDir): Promise<CertificatePlace> {
  const { environment } = await readDocument<Installation>(state.installationFile);
  const services = SERVICES.filter((name) => existsSync(join(keyDirectory(state.keys, name), 'tls.pem')));
  return { authority: state.authority, keys: state.keys, environment, services };
}

/**
 * Issues a new certificate with a new key for every service that has one. A process goes on with the pair it holds
 * until both new files are there, so nothing is cut off.
 * @throws StartError when somebody else issues them
 */
export function rotateCertificates(place: CertificatePlace): Promise<void> {
  return renewCertificates(place, WORKSPACE);
}
