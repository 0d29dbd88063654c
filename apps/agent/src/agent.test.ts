import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ServiceName } from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';
import { generateSigningKeyPem, loadSigningKey, signGrant, type TurnGrant } from '@deadlatch/signing';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { verifies } from '../../../test/requirements.ts';
import { ENVIRONMENT, freePort, makeTestKeys, signedWrite } from '../../../test/support/signed-peer.ts';
import { compose } from './compose.ts';
import { readSettings } from './env.ts';
import type { ToolClient } from './run-turn.ts';
import { createWorld } from './world.fixture.ts';

const spiffe = (name: string) => `spiffe://${ENVIRONMENT}.deadlatch/${name}`;

/** A bridge that serves any ToolClient over the real protocol. */
async function startBridge(t: TestContext, tools: () => ToolClient) {
  const seen: string[] = [];
  const bridge = { url: '', seen, status: 200 };
  const server = createServer(async (request, response) => {
    seen.push(request.headers.authorization ?? '');
    if (bridge.status !== 200) {
      response.writeHead(bridge.status).end();
      return;
    }
    const body = await bytesOf(request);
    const handler = createMcpHandler(() => serverOf(tools()), { legacy: 'reject' });
    const headers = Object.entries(request.headers).filter((pair): pair is [string, string] =>
      /^(content-type|accept|mcp-.*)$/.test(pair[0]),
    );
    const answer = await handler.fetch(
      new Request('http://bridge/mcp', { method: 'POST', headers, body: new Uint8Array(body) }),
    );
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  bridge.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return bridge;
}

function serverOf(tools: ToolClient): Server {
  const server = new Server({ name: 'bridge', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', async () => ({
    tools: (await tools.list()).map((name) => ({ name, inputSchema: { type: 'object' as const } })),
  }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    const answer = await tools.call(params.name, params.arguments ?? {});
    const value = answer.ok ? answer.value : { code: answer.code };
    const structuredContent = value as Record<string, JsonValue>;
    return { content: [], structuredContent, isError: !answer.ok };
  });
  return server;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

async function start(t: TestContext, given?: () => ToolClient) {
  const world = createWorld();
  world.customerWrites("front door won't lock, we close in an hour");
  const bridge = await startBridge(t, given ?? (() => world.tools));
  const keys = await makeTestKeys(t, ['worker', 'gateway', 'dispatch-api']);
  const directory = keys.directoryFor('agent');
  const port = await freePort();
  const settings = readSettings({
    DEADLATCH_ENVIRONMENT: ENVIRONMENT,
    DEADLATCH_KEY_DIR: directory,
    DEADLATCH_HOST: '127.0.0.1',
    DEADLATCH_PORT: String(port),
    DEADLATCH_MTLS: 'mesh',
    DEADLATCH_LOG_LEVEL: 'debug',
    TOOL_BRIDGE_URL: bridge.url,
  });
  const logs: string[] = [];
  const running = await compose(settings, {
    now: Date.now,
    random: randomBytes,
    fetch: globalThis.fetch,
    write: (line) => logs.push(line),
  });
  t.after(() => running.close());
  // What was created in the second of the start could be from before it, and is refused.
  await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000) + 5));
  const url = `http://127.0.0.1:${port}`;
  const grant = (over: Partial<TurnGrant> = {}, key = keys.grant) => signGrant('turn', claims(over), key);
  const wake = (body: unknown, sender: ServiceName = 'worker', audience: ServiceName = 'agent') =>
    fetch(`${url}/v1/turns`, signedWrite({ target: '/v1/turns', body, key: keys.service(sender), audience }));
  const woken = (over: Partial<TurnGrant> = {}) => {
    const turn = over.turn ?? randomUUID();
    return wake({ turn_id: turn, turn_grant: grant({ ...over, turn }) });
  };
  return { world, bridge, keys, directory, logs, url, grant, wake, woken };
}

function claims(over: Partial<TurnGrant>): TurnGrant {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: spiffe('dispatch-api'),
    aud: spiffe('identity'),
    iat,
    exp: iat + 600,
    jti: randomUUID(),
    tenant: randomUUID(),
    turn: randomUUID(),
    conversation: randomUUID(),
    message: randomUUID(),
    subject: `contact:${randomUUID()}`,
    assurance: 'L1',
    agent_role: 'agent.intake',
    ticket: null,
    correlation_id: randomUUID(),
    ...over,
  };
}

test('woken by the worker it plays the turn over the protocol, with the grant as its only credential', async (t) => {
  verifies('T1.9');
  const { world, bridge, grant, wake, logs, directory } = await start(t);
  const turn = randomUUID();
  const turn_grant = grant({ turn });
  const response = await wake({ turn_id: turn, turn_grant });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { steps: 3 });
  assert.deepEqual(
    world.commands.map(([tool]) => tool),
    ['ticket.create', 'ticket.triage', 'conversation.reply'],
  );
  assert.deepEqual([...new Set(bridge.seen)], [`Bearer ${turn_grant}`]);
  assert.equal(existsSync(join(directory, 'signing.pem')), false);
  assert.doesNotMatch(logs.join(''), /front door|Bearer|eyJ/);
});

test('nobody else wakes it', async (t) => {
  verifies('T1.9', 'T4.1', 'T4.4');
  const { bridge, url, keys, grant, wake } = await start(t);
  const turn = randomUUID();
  const body = { turn_id: turn, turn_grant: grant({ turn }) };
  const stranger = loadSigningKey(generateSigningKeyPem());
  const target = '/v1/turns';
  const worker = keys.service('worker');
  const send = (request: RequestInit) => fetch(`${url}${target}`, request);
  const signed = signedWrite({ target, body, key: worker, audience: 'agent' });
  const otherBody = new Uint8Array(Buffer.from(JSON.stringify({ ...body, turn_id: randomUUID() })));
  const cases: [string, () => Promise<Response>, number][] = [
    ['another service', () => wake(body, 'gateway'), 403],
    ['dispatch-api itself', () => wake(body, 'dispatch-api'), 403],
    ['signed for somebody else', () => wake(body, 'worker', 'gateway'), 401],
    ['an unknown key', () => send(signedWrite({ target, body, key: stranger, audience: 'agent' })), 401],
    [
      'no signature',
      () =>
        send({
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      401,
    ],
    ['another body', () => send({ ...signed, body: otherBody }), 401],
    [
      'an old request',
      () => send(signedWrite({ target, body, key: worker, audience: 'agent', now: Date.now() - 120_000 })),
      401,
    ],
  ];
  for (const [name, request, status] of cases) {
    assert.equal((await request()).status, status, name);
  }
  assert.deepEqual(bridge.seen, []);
  const fresh = signedWrite({ target, body, key: worker, audience: 'agent' });
  assert.equal((await send(fresh)).status, 200);
  const { length } = bridge.seen;
  assert.equal((await send(fresh)).status, 401, 'the same request again');
  assert.equal(bridge.seen.length, length);
});

test('only the grant of that very turn is played', async (t) => {
  verifies('T1.9', 'C.0');
  const { bridge, grant, wake, woken } = await start(t);
  const turn = randomUUID();
  const past = Math.floor(Date.now() / 1000) - 700;
  const cases: [string, unknown, number][] = [
    ['of another turn', { turn_id: turn, turn_grant: grant() }, 401],
    ['expired', { turn_id: turn, turn_grant: grant({ turn, iat: past, exp: past + 600 }) }, 401],
    ['forged', { turn_id: turn, turn_grant: grant({ turn }, loadSigningKey(generateSigningKeyPem())) }, 401],
    ['no token', { turn_id: turn, turn_grant: 'a.b' }, 400],
    ['none', { turn_id: turn }, 400],
    ['something more', { turn_id: turn, turn_grant: grant({ turn }), role: 'dispatcher' }, 400],
    ['a strange id', { turn_id: '../x', turn_grant: grant({ turn }) }, 400],
    ['a key twice', `{"turn_id":"${turn}","turn_id":"${turn}","turn_grant":"${grant({ turn })}"}`, 400],
    ['a list', [], 400],
    ['too much', { turn_id: turn, turn_grant: `a.b.${'x'.repeat(20_000)}` }, 413],
  ];
  for (const [name, body, status] of cases) assert.equal((await wake(body)).status, status, name);
  assert.deepEqual(bridge.seen, []);
  assert.equal((await woken()).status, 200);
});

test('an outage of the bridge is told, so that the turn is tried again', async (t) => {
  verifies('C.6');
  const { bridge, woken, world } = await start(t);
  for (const status of [401, 404, 429, 500, 503]) {
    bridge.status = status;
    const response = await woken();
    assert.equal(response.status, 503, String(status));
    assert.equal(((await response.json()) as { code: string }).code, 'unavailable');
  }
  assert.deepEqual(world.commands, []);
  bridge.status = 200;
  const turn = randomUUID();
  assert.deepEqual(await (await woken({ turn })).json(), { steps: 3 });
  assert.deepEqual(await (await woken({ turn })).json(), { steps: 0 }, 'played again, it does nothing');
});

test('a turn is never played twice at a time', async (t) => {
  verifies('R.2');
  const { world, woken } = await start(t);
  const turn = randomUUID();
  const answers = await Promise.all([1, 2, 3].map(() => woken({ turn })));
  for (const answer of answers) assert.deepEqual(await answer.json(), { steps: 3 });
  assert.equal(world.commands.length, 3);
});
