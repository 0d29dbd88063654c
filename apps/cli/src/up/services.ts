import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEFAULT_PORTS, type ServiceName } from '@deadlatch/catalogue';
import type { Bucket } from '../arguments.ts';
import { imagerSocket } from './imager.ts';
import { keyDirectory } from './keys.ts';
import type { StateDir } from './state-dir.ts';

/** Processes that `up` starts, in the order they are named to people. */
export const PROCESSES = [
  'dispatch-api',
  'identity',
  'vault',
  'tool-bridge',
  'agent',
  'gateway',
  'worker',
  'sequencer',
  'witness',
  'web',
  'simulator',
] as const satisfies readonly ServiceName[];
export type ProcessName = (typeof PROCESSES)[number];

/** Database role of each process that has one. */
export const ROLE_OF: Readonly<Partial<Record<ServiceName, string>>> = {
  'dispatch-api': 'deadlatch_dispatch',
  identity: 'deadlatch_identity',
  vault: 'deadlatch_vault',
  worker: 'deadlatch_worker',
  sequencer: 'deadlatch_sequencer',
  cli: 'deadlatch_demo',
};

type PortName = keyof typeof DEFAULT_PORTS;

export interface Addresses {
  /** `mesh`: something else carries TLS between the services. */
  readonly mtls: 'on' | 'mesh';
  port(name: PortName): number;
  /** Where the other processes reach it; `web` and the simulator are reached by browsers alone. */
  url(name: Exclude<ServiceName, 'cli'>): string;
  readonly webPublic: string;
  readonly identityPublic: string;
  readonly gatewayPublic: string;
}

/** Processes that no service calls with a certificate. */
const PUBLIC: readonly ServiceName[] = ['web', 'simulator'];

/** Of those whose first port is for browsers or carriers. */
const INTERNAL_PORTS: Readonly<Partial<Record<ServiceName, PortName>>> = {
  identity: 'identity-internal',
  gateway: 'gateway-internal',
};

/** Every port that a process listens on. */
export function portsOf(name: ProcessName): readonly PortName[] {
  const second = name === 'simulator' ? 'simulator-smtp' : INTERNAL_PORTS[name];
  return second === undefined ? [name] : [name, second];
}

/** Every port is the default's distance from 4300, moved to `portBase`. */
export function addresses(portBase: number, mtls: Addresses['mtls'] = 'on'): Addresses {
  const port = (name: PortName) => DEFAULT_PORTS[name] - DEFAULT_PORTS.web + portBase;
  const scheme = (name: ServiceName) => (mtls === 'on' && !PUBLIC.includes(name) ? 'https' : 'http');
  return {
    mtls,
    port,
    url: (name) => `${scheme(name)}://127.0.0.1:${port(INTERNAL_PORTS[name] ?? name)}`,
    webPublic: `http://127.0.0.1:${port('web')}`,
    // Another host name than web's: cookies know no ports, so only this keeps the two origins' cookies apart.
    identityPublic: `http://localhost:${port('identity')}`,
    gatewayPublic: `http://127.0.0.1:${port('gateway')}`,
  };
}

export interface Installation {
  readonly environment: string;
  readonly tenantId: string;
  readonly twilioAccountSid: string;
  readonly twilioNumber: string;
}

/** The environment of one process: only what it needs to know. */
export function environmentOf(
  name: ProcessName,
  state: StateDir,
  at: Addresses,
  installation: Installation,
  otlpEndpoint?: string,
  bucket?: Bucket,
): Record<string, string> {
  const urls = {
    WEB_PUBLIC_URL: at.webPublic,
    IDENTITY_PUBLIC_URL: at.identityPublic,
    GATEWAY_PUBLIC_URL: at.gatewayPublic,
    DISPATCH_API_URL: at.url('dispatch-api'),
    IDENTITY_URL: at.url('identity'),
    VAULT_URL: at.url('vault'),
    TOOL_BRIDGE_URL: at.url('tool-bridge'),
    AGENT_URL: at.url('agent'),
    GATEWAY_URL: at.url('gateway'),
    WITNESS_URL: at.url('witness'),
  };
  const carrier = {
    TWILIO_ACCOUNT_SID: installation.twilioAccountSid,
    TWILIO_NUMBER: installation.twilioNumber,
    TWILIO_API_BASE: at.url('simulator'),
  };
  const extra: Record<ProcessName, Record<string, string>> = {
    'dispatch-api': {
      OBJECT_STORE_URL: bucket?.url ?? pathToFileURL(state.objects).href,
      ...(bucket?.region !== undefined && { OBJECT_STORE_REGION: bucket.region }),
      IMAGER_SOCKET: imagerSocket(state),
    },
    identity: {
      SMTP_SENDER: 'approvals@deadlatch.example',
      DEADLATCH_INTERNAL_PORT: String(at.port('identity-internal')),
    },
    vault: {},
    'tool-bridge': {},
    agent: {},
    gateway: {
      GATEWAY_INBOX_DIR: state.inbox,
      DEADLATCH_INTERNAL_PORT: String(at.port('gateway-internal')),
      ...carrier,
    },
    worker: {},
    sequencer: { LOG_DIR: state.log },
    witness: { WITNESS_DIR: state.witness, SEQUENCER_URL: at.url('sequencer') },
    web: {},
    simulator: {
      ...carrier,
      SIMULATOR_SMTP_PORT: String(at.port('simulator-smtp')),
      SIMULATOR_PEOPLE: join(keyDirectory(state.keys, 'simulator'), 'people.json'),
    },
  };
  return {
    DEADLATCH_ENVIRONMENT: installation.environment,
    DEADLATCH_TENANT_ID: installation.tenantId,
    DEADLATCH_KEY_DIR: keyDirectory(state.keys, name),
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(at.port(name)),
    DEADLATCH_MTLS: at.mtls,
    // glibc keeps an arena per thread and core; two cost nothing here and hold 5 MB less in every process.
    MALLOC_ARENA_MAX: '2',
    ...(otlpEndpoint !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint }),
    ...urls,
    ...extra[name],
  };
}

/**
 * How a process is started: on this very Node, under its permission model, able to read the code and its own
 * key folder and nothing else on the disk.
 */
export function commandLine(name: ProcessName, state: StateDir, workspace: string): string[] {
  const reads = [
    join(workspace, 'node_modules'),
    join(workspace, 'packages'),
    join(workspace, 'apps', name),
    join(workspace, 'package.json'),
    keyDirectory(state.keys, name),
    // Readiness compares the database with the migrations of this release.
    ...(name === 'dispatch-api' ? [join(workspace, 'sql')] : []),
  ];
  const writes: string[] = [];
  if (name === 'dispatch-api') writes.push(state.objects);
  if (name === 'gateway') writes.push(state.inbox);
  if (name === 'sequencer') writes.push(state.log);
  if (name === 'witness') writes.push(state.witness);
  return [
    // Young objects get this many megabytes instead of 16: 10 MB less in every process, and a scavenge more often.
    `--max-semi-space-size=${name === 'dispatch-api' ? 8 : 2}`,
    '--permission',
    ...[...reads, ...writes].map((path) => `--allow-fs-read=${path}`),
    ...writes.map((path) => `--allow-fs-write=${path}`),
    // The masking pipeline runs in a worker thread with a hard time limit.
    ...(name === 'vault' ? ['--allow-worker'] : []),
    join(workspace, 'apps', name, 'src', 'main.ts'),
  ];
}
