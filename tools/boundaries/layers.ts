/** What a package may import of ours. A package that is not listed may import nothing and fails the check. */
export const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ['kernel', []],
  ['contact-details', []],
  ['catalogue', ['kernel']],
  ['scheduling', ['kernel', 'catalogue']],
  ['decision', ['kernel', 'catalogue', 'scheduling']],
  ['signing', ['kernel', 'catalogue']],
  ['telemetry', ['kernel']],
  ['audit-log', ['kernel', 'catalogue', 'signing']],
  ['http', ['kernel', 'catalogue', 'signing', 'telemetry']],
  ['postgres', ['kernel', 'catalogue', 'signing']],
  ['log-watch', ['kernel', 'catalogue', 'signing', 'telemetry', 'audit-log', 'http']],
]);

/** Edges that exist for types alone: nothing of them is left at run time. */
export const MAY_IMPORT_TYPES: ReadonlyMap<string, readonly string[]> = new Map([['postgres', ['decision']]]);

/** Packages that compute and nothing else. */
export const PURE = ['kernel', 'contact-details', 'catalogue', 'scheduling', 'decision', 'signing'];

/** What reaches out of the process. */
export const OUTSIDE_WORLD = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'inspector',
  'net',
  'repl',
  'tls',
  'worker_threads',
];

/** Files of pure packages that may touch the outside world, and why they must. */
export const PURE_EXCEPTIONS: ReadonlySet<string> = new Set([
  // Reads the Cedar policy texts of this release from beside itself, once, when it is called.
  'packages/decision/src/policy/load-policy-texts.ts',
  // The optional solver computes too, but for seconds: it gets a thread of its own, which ends with the call.
  'packages/scheduling/src/improve/improve-plan.ts',
  'packages/scheduling/src/improve/solver-worker.ts',
]);

/** Packages that must not know of HTTP. */
export const WITHOUT_FASTIFY = [...PURE, 'audit-log', 'postgres', 'telemetry'];

/** Where the environment may be read. */
export function mayReadEnvironment(path: string): boolean {
  return (
    /^(tools|test)\//.test(path) ||
    /^apps\/[^/]+\/src\/(env|main|[a-z-]+-main)\.ts$/.test(path) ||
    /^apps\/[^/]+\/bin\//.test(path)
  );
}
