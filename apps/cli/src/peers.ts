import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createServiceFetch, openTlsFiles, type TlsFiles } from '@deadlatch/http';
import { UsageError } from './arguments.ts';
import type { RunFile } from './run-file.ts';

/** The services of an installation, as one of them reaches the others. */
export interface Peers {
  /** Origin, without a slash at its end. @throws UsageError when it does not run */
  urlOf(service: ServiceName): string;
  /** Under the caller's own certificate, to exactly this service. */
  fetchTo(service: ServiceName): typeof fetch;
}

/** @param urlOf where services reach it; without TLS, as browsers' services are, it is called without a certificate */
export function createPeers(options: {
  readonly environment: string;
  /** whose certificate is shown; the command line's unless told */
  readonly caller?: ServiceName;
  readonly keyDirectory: string;
  readonly urlOf: (service: ServiceName) => string;
}): Peers {
  const { environment, caller = 'cli', keyDirectory: directory, urlOf } = options;
  const fetches = new Map<ServiceName, typeof fetch>();
  let files: TlsFiles | undefined;
  const open = (service: ServiceName): typeof fetch => {
    if (!urlOf(service).startsWith('https:')) return globalThis.fetch;
    files ??= openTlsFiles({ directory, environment, service: caller, now: Date.now });
    return createServiceFetch({ tls: files, peer: spiffeId(environment, service), fetch: globalThis.fetch });
  };
  return {
    urlOf,
    fetchTo(service) {
      const known = fetches.get(service) ?? open(service);
      fetches.set(service, known);
      return known;
    },
  };
}

/** The services of a system that runs, as `caller` reaches them: as the command line unless told. */
export function peersOf(run: Pick<RunFile, 'environment' | 'services'>, caller: ServiceName = 'cli'): Peers {
  const keyDirectory = run.services[caller]?.key_dir;
  if (!keyDirectory) throw new UsageError(`run.json names no key directory for ${caller}`);
  return createPeers({
    environment: run.environment,
    caller,
    keyDirectory,
    urlOf(service) {
      const found = run.services[service];
      const url = found?.internal_url ?? found?.url;
      if (!url) throw new UsageError(`${service} is not running`);
      return url;
    },
  });
}
