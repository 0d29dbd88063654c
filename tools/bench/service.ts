import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadSigningKey } from '@deadlatch/signing';
import { createPeers } from '../../apps/cli/src/peers.ts';
import { ensureCertificates } from '../../apps/cli/src/up/certificates.ts';
import { ensureKeys, keyDirectory } from '../../apps/cli/src/up/keys.ts';
import { addresses, commandLine, environmentOf } from '../../apps/cli/src/up/services.ts';
import { prepareStateDir, stateDirAt } from '../../apps/cli/src/up/state-dir.ts';
import { ENVIRONMENT, SENDER } from './command.ts';
import type { LoadAnswer, LoadOrder, LoadSetup } from './load-messages.ts';
import type { Place } from './place.ts';

const WORKSPACE = join(import.meta.dirname, '..', '..');
const START_TIMEOUT_MS = 20_000;

/** The real dispatch-api as `npm start` would run it, and a second process that sends to it. */
export interface Service {
  /** Signs `count` requests, then sends them over `clients` kept-alive connections. */
  load(clients: number, count: number): Promise<Extract<LoadAnswer, { kind: 'sent' }>>;
  close(): Promise<void>;
}

/** @param mtls `mesh`: without TLS, as behind a mesh that does it, which shows what TLS costs */
export async function startService(
  place: Place,
  { directory, portBase, mtls }: { directory: string; portBase: number; mtls: 'on' | 'mesh' },
): Promise<Service> {
  const state = stateDirAt(directory);
  await prepareStateDir(state);
  const trust = await ensureKeys(
    state.keys,
    ENVIRONMENT,
    ['dispatch-api', 'identity', 'vault', 'gateway', 'tool-bridge', 'worker', 'web', 'cli', 'simulator'],
    Date.now(),
  );
  for (const key of trust.services.filter((s) => s.service === SENDER)) {
    await place.asOwner('select trust.put_service_key($1)', [
      JSON.stringify({
        tenant_id: place.tenantId,
        event: { id: randomUUID(), correlation_id: randomUUID(), body: '{"command":"operator.bench"}' },
        keyid: key.keyid,
        service: key.service,
        environment: ENVIRONMENT,
        x: key.x,
        not_before: key.from,
        not_after: key.until,
      }),
    ]);
  }
  await writeFile(join(keyDirectory(state.keys, 'dispatch-api'), 'database-url'), place.dispatchUrl, {
    mode: 0o600,
  });
  const at = addresses(portBase, mtls);
  const certified = {
    authority: state.authority,
    keys: state.keys,
    environment: ENVIRONMENT,
    services: ['dispatch-api', SENDER, 'cli'],
  } as const;
  await ensureCertificates(certified, WORKSPACE);
  const api = spawn(process.execPath, commandLine('dispatch-api', state, WORKSPACE), {
    cwd: WORKSPACE,
    env: environmentOf('dispatch-api', state, at, {
      environment: ENVIRONMENT,
      tenantId: place.tenantId,
      twilioAccountSid: '',
      twilioNumber: '',
    }),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const keyText = (service: typeof SENDER | 'identity', file: string) =>
    readFile(join(keyDirectory(state.keys, service), file), 'utf8');
  const setup: LoadSetup = {
    port: at.port('dispatch-api'),
    tenantId: place.tenantId,
    jobs: place.jobs,
    signingPem: await keyText(SENDER, 'signing.pem'),
    tokenPem: await keyText('identity', 'token.pem'),
    tls:
      mtls === 'mesh'
        ? null
        : {
            cert: await keyText(SENDER, 'tls.pem'),
            key: await keyText(SENDER, 'tls-key.pem'),
            ca: await keyText(SENDER, 'ca.pem'),
          },
  };
  // A wrong key is better found here than as thousands of refusals.
  loadSigningKey(setup.signingPem);
  const peers = createPeers({
    environment: ENVIRONMENT,
    keyDirectory: keyDirectory(state.keys, 'cli'),
    urlOf: () => at.url('dispatch-api'),
  });
  try {
    await untilReady(api, peers.fetchTo('dispatch-api'), `${at.url('dispatch-api')}/readyz`);
  } catch (error) {
    await ended(api);
    throw error;
  }
  const sender = fork(new URL('./load-main.ts', import.meta.url));
  await ask(sender, { kind: 'setup', setup });
  return {
    async load(clients, count) {
      await ask(sender, { kind: 'sign', count });
      const answer = await ask(sender, { kind: 'send', clients });
      if (answer.kind !== 'sent') throw new Error('the load process sent nothing');
      return answer;
    },
    async close() {
      sender.disconnect();
      await ended(sender);
      await ended(api);
    },
  };
}

async function untilReady(api: ChildProcess, call: typeof fetch, url: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until && api.exitCode === null) {
    const answer = await call(url).catch(() => null);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error('dispatch-api did not become ready');
}

/** @throws Error when the process fails or ends instead of answering */
function ask(child: ChildProcess, order: LoadOrder): Promise<LoadAnswer> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the load process ended'));
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      const { kind } = answer as LoadAnswer;
      if (kind === 'failed') reject(new Error((answer as { reason: string }).reason));
      else resolve(answer as LoadAnswer);
    });
    child.send(order);
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await exit;
}
