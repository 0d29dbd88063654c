import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifies } from '../../../test/requirements.ts';
import { ConfigError } from './read-env.ts';
import { type Running, runService, type ServiceProcess } from './run-service.ts';

function host() {
  const listeners = new Map<string, (argument: unknown) => void>();
  const codes: number[] = [];
  let printed = '';
  const process: ServiceProcess = {
    env: {},
    stdin: { resume: () => undefined, once: () => undefined },
    on: (event, listener) => listeners.set(event, listener),
    exit: (code) => codes.push(code),
    stdout: { on: () => undefined },
    stderr: {
      on: () => undefined,
      write: (text) => {
        printed += text;
      },
    },
  };
  const raise = async (event: string, argument?: unknown) => {
    listeners.get(event)?.(argument);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { process, raise, codes, printed: () => printed };
}

describe('runService', () => {
  it('closes once on a signal and ends with 0; a second signal ends it at once', async () => {
    const { process, raise, codes } = host();
    let closes = 0;
    let finish = () => {};
    const running: Running = {
      close: () => {
        closes += 1;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    };
    await runService(async () => running, process);
    await raise('SIGTERM');
    assert.deepEqual([closes, codes], [1, []]);
    await raise('SIGINT');
    assert.deepEqual([closes, codes], [1, [1]]);
    finish();
    await raise('nothing');
    assert.deepEqual(codes, [1, 0]);
  });

  it('says what is wrong with the set-up and ends with 2', async () => {
    verifies('C.7');
    const { process, codes, printed } = host();
    await runService(() => Promise.reject(new ConfigError(['A is not set', 'B must be a port'])), process);
    assert.deepEqual(codes, [2]);
    assert.equal(printed(), 'could not start: A is not set; B must be a port\n');
  });

  it('says in a sentence that the port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const { process, codes, printed } = host();
    await runService(async () => {
      const second = createServer().listen(port, '127.0.0.1');
      await once(second, 'listening');
      return { close: async () => {} };
    }, process);
    taken.close();
    assert.deepEqual(codes, [1]);
    assert.equal(printed(), `could not start: the port is already in use (port ${port})\n`);
  });

  it('never prints the text of an unexpected error', async () => {
    verifies('T5.1');
    const { process, raise, codes, printed } = host();
    await runService(async () => ({ close: async () => {} }), process);
    await raise('uncaughtException', new TypeError('postgres://user:hunter2@host'));
    await raise('unhandledRejection', 'hunter2');
    assert.doesNotMatch(printed(), /hunter2/);
    assert.match(printed(), /^stopped by an unexpected error: type_error /);
    assert.ok(codes.every((code) => code === 1) && codes.length > 0);
  });

  it('ends with 1 when it cannot close cleanly', async () => {
    const { process, raise, codes } = host();
    await runService(async () => ({ close: () => Promise.reject(new Error('hunter2')) }), process);
    await raise('SIGTERM');
    assert.deepEqual(codes, [1]);
  });

  it('ends with its supervisor, although nobody reads what it says any more', {
    timeout: 30_000,
  }, async (t) => {
    verifies('R.1');
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./run-service.fixture.ts', import.meta.url))],
      {
        env: { ...process.env, DEADLATCH_SUPERVISED: 'yes' },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    // As the kernel does for a supervisor that was killed: every end of every pipe at once.
    for (const end of [child.stdout, child.stderr, child.stdin]) end.destroy();
    assert.deepEqual(await ended, [0, null]);
  });
});
