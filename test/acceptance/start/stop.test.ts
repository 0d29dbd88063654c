import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '@deadlatch/catalogue';
import { createPeers, type Peers } from '../../../apps/cli/src/peers.ts';
import { ensureCertificates } from '../../../apps/cli/src/up/certificates.ts';
import { ensureKeys, keyDirectory } from '../../../apps/cli/src/up/keys.ts';
import {
  type Addresses,
  addresses,
  commandLine,
  environmentOf,
  PROCESSES,
  type ProcessName,
  portsOf,
  ROLE_OF,
} from '../../../apps/cli/src/up/services.ts';
import { prepareStateDir, type StateDir, stateDirAt } from '../../../apps/cli/src/up/state-dir.ts';
import { verifies } from '../../requirements.ts';
import { freePortBase } from '../../support/system.ts';
import { temporaryFolder } from './start.fixture.ts';

/** Every service, started as `up` starts it but alone: no peer and no database answers. */
const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));
const INSTALLATION = {
  environment: 'demo',
  tenantId: '01890000-0000-7000-8000-000000000000',
  twilioAccountSid: `AC${'0'.repeat(32)}`,
  twilioNumber: '+15125550100',
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let state: StateDir;
let at: Addresses;
let peers: Peers;

before(async () => {
  folder = await temporaryFolder();
  state = stateDirAt(folder.path);
  at = addresses(await freePortBase());
  await prepareStateDir(state);
  await ensureKeys(state.keys, INSTALLATION.environment, [...PROCESSES, 'cli'], Date.now());
  for (const service of Object.keys(ROLE_OF) as ProcessName[]) {
    await mkdir(keyDirectory(state.keys, service), { recursive: true });
    await writeFile(join(keyDirectory(state.keys, service), 'database-url'), 'postgres://x:x@127.0.0.1:1/x');
  }
  await writeFile(join(keyDirectory(state.keys, 'identity'), 'smtp-url'), 'smtp://127.0.0.1:1');
  await writeFile(
    join(keyDirectory(state.keys, 'simulator'), 'people.json'),
    JSON.stringify([{ slug: 'maria', label: 'Maria', phone: '+15125550101' }]),
  );
  const { environment } = INSTALLATION;
  const services = [...PROCESSES.filter((name) => name !== 'simulator'), 'cli' as const];
  const place = { authority: state.authority, keys: state.keys, environment, services };
  await ensureCertificates(place, WORKSPACE);
  const urlOf = (service: ServiceName) => at.url(service as ProcessName);
  peers = createPeers({ environment, keyDirectory: keyDirectory(state.keys, 'cli'), urlOf });
});
after(() => folder.remove());

function start(name: ProcessName, environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, commandLine(name, state, WORKSPACE), {
    cwd: join(WORKSPACE, 'apps', name),
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((done) =>
    child.once('close', (code) => done({ code, stderr })),
  );
  return { child, ended };
}

async function untilAlive(name: ProcessName, ended: Promise<{ stderr: string }>): Promise<void> {
  let said: string | undefined;
  void ended.then(({ stderr }) => {
    said = stderr;
  });
  for (;;) {
    if (said !== undefined) throw new Error(`${name} ended: ${said}`);
    if (
      await peers
        .fetchTo(name)(`${at.url(name)}/livez`)
        .then(
          ({ ok }) => ok,
          () => false,
        )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A connection as browsers open them in advance: it asks for nothing, or only begins to. */
async function idleConnection(port: number, bytes: string) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return socket;
}

for (const name of PROCESSES) {
  test(`${name} ends on SIGTERM by itself, whoever is connected and whoever does not answer`, async () => {
    const { child, ended } = start(name, environmentOf(name, state, at, INSTALLATION));
    try {
      await untilAlive(name, ended);
      const ports = portsOf(name).map((port) => at.port(port));
      const sockets = await Promise.all(
        ports.flatMap((port) => [idleConnection(port, ''), idleConnection(port, 'GET /li')]),
      );
      child.kill('SIGTERM');
      // 1 would be the deadline after which it gives up closing; null, that somebody had to kill it.
      assert.equal((await ended).code, 0);
      for (const socket of sockets) socket.destroy();
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });

  test(`${name} without its configuration names all that is missing, and does not start`, async () => {
    verifies('C.7');
    const { ended } = start(name, { DEADLATCH_PORT: 'many' });
    const { code, stderr } = await ended;
    assert.equal(code, 2);
    assert.match(stderr, /^could not start: .*DEADLATCH_ENVIRONMENT.*$/m);
    for (const variable of ['DEADLATCH_KEY_DIR', 'DEADLATCH_PORT']) {
      assert.match(stderr, new RegExp(variable), name);
    }
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
}
