import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import type { ServiceName } from '@deadlatch/catalogue';
import { peersOf } from '../peers.ts';
import { type RunFile, readRunFile } from '../run-file.ts';
import {
  type CertificatePlace,
  isIssuedElsewhere,
  type LeafProblem,
  readLeaf,
  whatIsWrong,
} from '../up/certificate-files.ts';
import { keyDirectory } from '../up/keys.ts';

const TRY_MS = 3_000;

export interface LeafFinding {
  readonly service: string;
  /** RFC 3339; null when there is no certificate */
  readonly expires_at: string | null;
  readonly problem: LeafProblem | null;
}

/** How the listener of a running service met three callers. */
export interface ListenerFinding {
  readonly service: string;
  readonly answers_certificate: boolean;
  readonly answers_without_certificate: boolean;
  readonly answers_plain: boolean;
}

export interface TlsFinding {
  /** RFC 3339; null when there is no authority */
  readonly authority_expires_at: string | null;
  readonly issued_here: boolean;
  readonly certificates: readonly LeafFinding[];
  /** Of the services that run; empty when none does. */
  readonly listeners: readonly ListenerFinding[];
}

/** What TLS between the services reaches: certificates as they lie there, and every listener for services, tried. */
export async function examineTls(
  place: CertificatePlace,
  stateDir: string,
  now: number,
): Promise<TlsFinding> {
  const authority = await readFile(join(place.authority, 'ca.pem'), 'utf8').then(
    (pem) => new X509Certificate(pem),
    () => null,
  );
  const run = await readRunFile(stateDir).catch(() => null);
  return {
    authority_expires_at: authority?.validToDate.toISOString() ?? null,
    issued_here: !isIssuedElsewhere(place),
    certificates: await Promise.all(
      place.services.map(async (service) => ({
        service,
        expires_at: (await readLeaf(keyDirectory(place.keys, service)))?.validToDate.toISOString() ?? null,
        problem: await whatIsWrong(place, service, now),
      })),
    ),
    listeners:
      run === null ? [] : await Promise.all(listeners(run).map((service) => tryListener(run, service))),
  };
}

/** Whether nothing in it needs somebody. */
export function isTlsSound({ certificates, listeners: tried }: TlsFinding): boolean {
  return (
    certificates.every(({ problem }) => problem === null) &&
    tried.every((l) => l.answers_certificate && !l.answers_without_certificate && !l.answers_plain)
  );
}

/** Lines for people. */
export function describeTls(tls: TlsFinding): string {
  const until = tls.authority_expires_at?.slice(0, 10) ?? 'MISSING';
  const who = tls.issued_here ? 'issued here' : 'issued by somebody else';
  const leaves = tls.certificates.map(({ service, expires_at: expires, problem }) => {
    const state = problem === null ? '' : ` NOT USABLE: ${problem.replaceAll('_', ' ')}`;
    return `${service.padEnd(13)} certificate until ${expires ?? '-'}${state}\n`;
  });
  const leaks = tls.listeners.flatMap((l) => [
    ...(l.answers_certificate ? [] : [`${l.service} DOES NOT ANSWER the command line's certificate\n`]),
    ...(l.answers_without_certificate ? [`${l.service} ANSWERS WITHOUT A CERTIFICATE\n`] : []),
    ...(l.answers_plain ? [`${l.service} ANSWERS PLAIN HTTP\n`] : []),
  ]);
  const tried =
    tls.listeners.length === 0
      ? 'Nothing runs, so no listener was tried.\n'
      : `${tls.listeners.length} listeners for services were tried with, without and past a certificate.\n`;
  return `\nCertificates, ${who}; the authority's is good until ${until}\n${leaves.join('')}${tried}${leaks.join('')}`;
}

function listeners(run: RunFile): ServiceName[] {
  const isForServices = ([name]: [string, unknown]) => !['web', 'simulator', 'cli'].includes(name);
  return Object.entries(run.services)
    .filter(isForServices)
    .map(([name]) => name as ServiceName);
}

async function tryListener(run: RunFile, service: ServiceName): Promise<ListenerFinding> {
  const peers = peersOf(run);
  const url = new URL('/livez', peers.urlOf(service));
  const signal = AbortSignal.timeout(TRY_MS);
  return {
    service,
    answers_certificate: await peers
      .fetchTo(service)(url, { signal })
      .then(
        ({ ok }) => ok,
        () => false,
      ),
    // Whoever it is: what counts is that it does not speak to us.
    answers_without_certificate: await answers(tlsRequest, url, { rejectUnauthorized: false, agent: false }),
    answers_plain: await answers(request, url, { protocol: 'http:', agent: false }),
  };
}

function answers(
  send: typeof request | typeof tlsRequest,
  { hostname, port, pathname: path }: URL,
  options: RequestOptions & { readonly rejectUnauthorized?: boolean },
): Promise<boolean> {
  return new Promise((done) => {
    const tried = send(
      { hostname, port, path, signal: AbortSignal.timeout(TRY_MS), ...options },
      (answer) => {
        answer.resume();
        done(true);
      },
    );
    tried.on('error', () => done(false));
    tried.end();
  });
}
