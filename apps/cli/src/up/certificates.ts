import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../arguments.ts';
import { type CertificatePlace, dueCertificates, isIssuedElsewhere } from './certificate-files.ts';
import { keyDirectory } from './keys.ts';
import { writeWhole } from './state-dir.ts';

/** Often enough that a machine that slept past an expiry is well again before anybody asks why. */
const LOOK_EVERY_MS = 20_000;

/**
 * Makes sure that every service has a certificate. Where somebody else issues them, nothing is made: the authorities
 * they are checked against are handed to every service, and the rest is theirs.
 * @throws StartError when certificates cannot be issued
 */
export async function ensureCertificates(place: CertificatePlace, workspace: string): Promise<void> {
  if (isIssuedElsewhere(place)) {
    const authorities = await readFile(join(place.authority, 'ca.pem'), 'utf8');
    for (const service of place.services) {
      const path = join(keyDirectory(place.keys, service), 'ca.pem');
      const known = await readFile(path, 'utf8').catch(() => null);
      if (known !== authorities) await writeWhole(path, authorities, 0o644);
    }
    return;
  }
  const due = await dueCertificates(place, Date.now());
  if (due.length > 0) await runIssuer({ place, which: 'due' }, workspace);
}

/** Issues every certificate anew. @throws StartError when they cannot be issued here */
export async function renewCertificates(place: CertificatePlace, workspace: string): Promise<void> {
  if (isIssuedElsewhere(place)) {
    throw new StartError(
      `The certificates come from an issuer of your own: there is no authority's key in ${place.authority}.`,
    );
  }
  await runIssuer({ place, which: 'all' }, workspace);
}

/** What the issuing process is told. */
export interface IssuerInput {
  readonly place: CertificatePlace;
  readonly which: 'due' | 'all';
}

/** Keeps them from running out, until it is stopped. @param say takes one sentence when it cannot */
export function keepCertificates(
  place: CertificatePlace,
  workspace: string,
  say: (line: string) => void,
): { stop(): Promise<void> } {
  let failed = false;
  let under: Promise<void> = Promise.resolve();
  const look = async () => {
    try {
      await ensureCertificates(place, workspace);
      failed = false;
    } catch (error) {
      if (!failed) say(error instanceof Error ? error.message : 'certificates cannot be issued');
      failed = true;
    }
  };
  const timer = setInterval(() => {
    under = under.then(look);
  }, LOOK_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return under;
    },
  };
}

async function runIssuer(input: IssuerInput, workspace: string): Promise<void> {
  const { place } = input;
  const reads = [
    join(workspace, 'node_modules'),
    join(workspace, 'packages'),
    join(workspace, 'apps', 'cli'),
    join(workspace, 'package.json'),
  ];
  const flags = [
    '--permission',
    ...[...reads, place.authority, place.keys].map((path) => `--allow-fs-read=${path}`),
    ...[place.authority, place.keys].map((path) => `--allow-fs-write=${path}`),
  ];
  const main = join(workspace, 'apps', 'cli', 'src', 'issue-main.ts');
  const child = spawn(process.execPath, [...flags, main], { env: {}, stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-1_000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(input));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new StartError(`Certificates could not be issued: ${said.trim()}`);
}
