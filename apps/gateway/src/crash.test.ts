import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifies } from '../../../test/requirements.ts';
import {
  ACCOUNT,
  freePort,
  inboundParams,
  makeKeys,
  maskedAnswer,
  NUMBER,
  type PeerCall,
  postForm,
  startPeer,
  temporary,
  untilHandedOver,
} from './gateway.fixture.ts';

const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url));

/** The real process, under the permission model it runs with, and peers that dedupe by key as the real ones do. */
async function start(t: TestContext) {
  const directory = await temporary(t);
  const keys = makeKeys(directory);
  const inboxDirectory = join(directory, 'inbox');
  mkdirSync(inboxDirectory);
  const port = await freePort();
  const effects = new Map<string, string>();
  const masked = new Map<string, ReturnType<typeof maskedAnswer>>();
  /** Called with each request of the gateway before and after its effect; may kill the process. */
  const hook = { before: async (_: PeerCall) => {}, after: async (_: PeerCall) => {} };

  const vault = await startPeer(t, 'vault', keys, async (call) => {
    await hook.before(call);
    const id = String(call.body.provider_id);
    const answer = masked.get(id) ?? maskedAnswer();
    masked.set(id, answer);
    await hook.after(call);
    return answer;
  });
  const api = await startPeer(t, 'dispatch-api', keys, async (call) => {
    await hook.before(call);
    const body = JSON.stringify(call.body);
    const stored = effects.get(call.key ?? '');
    if (stored !== undefined && stored !== body)
      return { status: 422, body: { code: 'idempotency_key_reused' } };
    effects.set(call.key ?? '', body);
    await hook.after(call);
    return { status: 200, body: {} };
  });

  const url = `http://127.0.0.1:${port}`;
  const env = {
    DEADLATCH_ENVIRONMENT: 'demo',
    DEADLATCH_KEY_DIR: keys.directory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_INTERNAL_PORT: String(await freePort()),
    DEADLATCH_MTLS: 'mesh',
    DISPATCH_API_URL: api.url,
    WITNESS_URL: 'http://127.0.0.1:1',
    VAULT_URL: vault.url,
    GATEWAY_PUBLIC_URL: url,
    GATEWAY_INBOX_DIR: inboxDirectory,
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_NUMBER: NUMBER,
    TWILIO_API_BASE: 'http://127.0.0.1:1',
  };
  const gateway: { process: ChildProcess | undefined } = { process: undefined };
  const run = async () => {
    const reads = [
      join(WORKSPACE, 'node_modules'),
      join(WORKSPACE, 'packages'),
      join(WORKSPACE, 'apps', 'gateway'),
    ];
    const allowed = [...reads, join(WORKSPACE, 'package.json'), keys.directory, inboxDirectory];
    const child = spawn(
      process.execPath,
      [
        '--permission',
        ...allowed.map((path) => `--allow-fs-read=${path}`),
        `--allow-fs-write=${inboxDirectory}`,
        join(WORKSPACE, 'apps', 'gateway', 'src', 'main.ts'),
      ],
      { env, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    gateway.process = child;
    while ((await isAlive(url)) === false) {
      assert.equal(child.exitCode, null, 'the gateway did not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const kill = async () => {
    const child = gateway.process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.after(kill);
  return { url, run, kill, hook, effects, inboxDirectory };
}

async function isAlive(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

const POINTS = [
  'right after the carrier was answered',
  'before the vault stored it',
  'after the vault stored it, before its answer',
  'before dispatch-api committed it',
  'after dispatch-api committed it, before its answer',
] as const;

for (const [index, point] of POINTS.entries()) {
  test(`killed ${point}: the message is handed over once`, async (t) => {
    verifies('R.1', 'R.5');
    const { url, run, kill, hook, effects, inboxDirectory } = await start(t);
    await run();
    let isKilled = false;
    const killAt = (path: string) => async (call: PeerCall) => {
      if (call.path !== path || isKilled) return;
      isKilled = true;
      await kill();
      throw new Error('the caller is gone');
    };
    if (index === 1) hook.before = killAt('/v1/inbound');
    if (index === 2) hook.after = killAt('/v1/inbound');
    if (index === 3) hook.before = killAt('/v1/message.receive');
    if (index === 4) hook.after = killAt('/v1/message.receive');

    const params = inboundParams();
    assert.equal((await postForm(`${url}/sms/inbound`, params)).status, 200);
    if (index === 0) await kill();
    else while (!isKilled) await new Promise((resolve) => setTimeout(resolve, 10));
    await kill();

    await run();
    await untilHandedOver(inboxDirectory, 1);
    // The carrier, which may not have seen the first answer, sends it again.
    assert.equal((await postForm(`${url}/sms/inbound`, params)).status, 200);
    await untilHandedOver(inboxDirectory, 1);
    assert.equal(effects.size, 1);
    assert.match([...effects.values()].join(), new RegExp(params.MessageSid ?? 'missing'));
  });
}
