import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import { generateSigningKeyPem, loadSigningKey, signGrant } from '@deadlatch/signing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { verifies } from '../../../test/requirements.ts';
import { problem } from '../../../test/support/signed-peer.ts';
import {
  CANARY,
  callTool,
  connect,
  connected,
  grantFor,
  mintedFor,
  newTurn,
  spiffe,
  startBridge,
  turnGrantClaims,
} from './bridge.fixture.ts';

const CALL = message('tools/call', { name: 'conversation.get', arguments: {} });

function message(method: string, params: Record<string, unknown> = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } };
}

/** A request as no client of the SDK would send it. `host` is what fetch cannot change. */
function post(
  url: string,
  body: string | object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const given =
    typeof body === 'string' ? undefined : (body as { method?: string; params?: { name?: string } });
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/mcp`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          ...(given?.method && { 'mcp-method': given.method }),
          ...(given?.params?.name && { 'mcp-name': given.params.name }),
          ...headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

test('only a living turn grant opens the bridge, and nothing is minted before', async (t) => {
  verifies('T1.9', 'T4.8', 'C.0');
  const turn = newTurn();
  const { url, keys, identity, api } = await startBridge(t, turn);
  const now = Math.floor(Date.now() / 1000);
  const stranger = loadSigningKey(generateSigningKeyPem());
  const good = grantFor(turn, keys.grant);
  const [head, , signature] = good.split('.');
  const claims = Buffer.from(JSON.stringify({ ...turnGrantClaims(newTurn()) })).toString('base64url');
  const reveal = {
    iss: spiffe('dispatch-api'),
    aud: spiffe('identity'),
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    tenant: randomUUID(),
    contact: randomUUID(),
    fields: ['phone'] as const,
    purpose: 'delivery' as const,
    ref: randomUUID(),
    holder: spiffe('gateway'),
    correlation_id: randomUUID(),
  };
  const cases: [string, Record<string, string>][] = [
    ['none', {}],
    ['empty', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${good}` }],
    ['no token', { authorization: 'Bearer a.b' }],
    ['another key', { authorization: `Bearer ${grantFor(turn, stranger)}` }],
    ['other claims under the signature', { authorization: `Bearer ${head}.${claims}.${signature}` }],
    [
      'expired',
      { authorization: `Bearer ${grantFor(turn, keys.grant, { iat: now - 700, exp: now - 100 })}` },
    ],
    [
      'for somebody else',
      { authorization: `Bearer ${grantFor(turn, keys.grant, { aud: spiffe('vault') })}` },
    ],
    ['another kind of grant', { authorization: `Bearer ${signGrant('reveal', reveal, keys.grant)}` }],
    ['a user token', { authorization: `Bearer ${mintedFor(turn, keys).token}` }],
  ];
  for (const [name, headers] of cases) {
    const answer = await post(url, CALL, headers);
    assert.equal(answer.status, 401, name);
    assert.equal(JSON.parse(answer.body).code, 'unauthenticated', name);
  }
  assert.deepEqual([...identity.calls, ...api.calls], []);
  const allowed = await post(url, CALL, { authorization: `Bearer ${good}` });
  assert.equal(allowed.status, 200, allowed.body);
});

test('identity alone turns a grant into a token, and may refuse', async (t) => {
  verifies('T4.5', 'C.6');
  const turn = newTurn();
  const { url, keys, identity, api } = await startBridge(t, turn);
  const authorization = `Bearer ${grantFor(turn, keys.grant)}`;
  const cases: [string, () => { status: number; body: unknown }, number][] = [
    ['refused', () => problem(401, 'unauthenticated', { detail: CANARY }), 401],
    ['down', () => problem(503, 'unavailable'), 503],
    ['broken', () => ({ status: 200, body: { token: CANARY, expires_at: 'soon' } }), 503],
    ['without an end', () => ({ status: 200, body: { token: mintedFor(turn, keys).token } }), 503],
    [
      'gone',
      () => {
        throw new Error('cut');
      },
      503,
    ],
  ];
  for (const [name, answer, status] of cases) {
    identity.answer = answer;
    const refused = await post(url, CALL, { authorization });
    assert.equal(refused.status, status, name);
    assert.doesNotMatch(refused.body, /maria/);
  }
  assert.deepEqual(api.calls, []);
});

test('a turn costs one token while it lives, and another one when that is about to end', async (t) => {
  const { client, identity, api, clock } = await connected(t, newTurn());
  await Promise.all([1, 2, 3].map(() => callTool(client, 'conversation.get')));
  clock.skewMs = 4_000;
  await callTool(client, 'conversation.get');
  assert.deepEqual(
    identity.calls.map((call) => [call.path, call.token]),
    [['/v1/tokens/turn', null]],
  );
  assert.equal(new Set(api.calls.map((call) => call.token)).size, 1);
});

test('a turn makes 40 calls and no more, whoever plays it', async (t) => {
  verifies('T1.8');
  const turn = newTurn();
  const { client, api, url, keys } = await connected(t, turn);
  for (let calls = 0; calls < 40; calls += 1) {
    assert.equal(
      (await callTool(client, calls % 2 ? 'conversation.get' : 'constructor')).isError,
      calls % 2 === 0,
    );
  }
  const before = api.calls.length;
  const again = await connect(t, url, grantFor(turn, keys.grant));
  for (const spent of [client, again]) {
    assert.deepEqual((await callTool(spent, 'conversation.get')).value, { code: 'rate_limited' });
  }
  assert.equal(api.calls.length, before);
  const fresh = await connect(t, url, grantFor(newTurn(), keys.grant));
  assert.equal((await callTool(fresh, 'conversation.get')).isError, false);
});

test('listing without end is bounded as well', async (t) => {
  verifies('T1.8');
  const { client, api, url, keys } = await connected(t, newTurn());
  const list = (by: Client) => by.listTools(undefined, { cacheMode: 'bypass' });
  let listed = 0;
  while (listed < 200 && (await list(client).then(Boolean, () => false))) listed += 1;
  assert.ok(listed > 40 && listed < 130, String(listed));
  const before = api.calls.length;
  await assert.rejects(list(client));
  assert.equal(api.calls.length, before);
  await list(await connect(t, url, grantFor(newTurn(), keys.grant)));
});

test('a browser finds nothing here', async (t) => {
  const turn = newTurn();
  const { url, keys, identity } = await startBridge(t, turn);
  const authorization = `Bearer ${grantFor(turn, keys.grant)}`;
  const { host, port } = new URL(url);
  for (const headers of [
    { origin: 'https://evil.test' },
    { origin: url },
    { origin: 'null' },
    { host: `evil.test:${port}` },
    { host: `localhost:${port}` },
    { host: '127.0.0.1' },
  ] as Record<string, string>[]) {
    const refused = await post(url, CALL, { authorization, ...headers });
    assert.equal(refused.status, 403, JSON.stringify(headers));
  }
  assert.deepEqual(identity.calls, []);
  assert.equal((await post(url, CALL, { authorization, host })).status, 200);
});

test('bodies are bounded and strict, and only what is served is answered', async (t) => {
  verifies('I.4', 'C.8');
  const turn = newTurn();
  const { url, keys, identity, api } = await startBridge(t, turn);
  const authorization = `Bearer ${grantFor(turn, keys.grant)}`;
  const text = JSON.stringify(CALL);
  const cases: [string, string | object, Record<string, string>, number][] = [
    [
      'too large',
      message('tools/call', { name: 'conversation.get', arguments: { x: 'x'.repeat(70_000) } }),
      {},
      413,
    ],
    ['another type', text, { 'content-type': 'text/plain' }, 415],
    ['coded', text, { 'content-encoding': 'gzip' }, 415],
    ['no JSON', '{', {}, 400],
    ['a key twice', text.replace('{"jsonrpc"', '{"method":"tools/list","jsonrpc"'), {}, 400],
    ['a forbidden key', text.replace('"arguments":{}', '"arguments":{"__proto__":{}}'), {}, 400],
    [
      'too deep',
      text.replace('"arguments":{}', `"arguments":{"a":${'['.repeat(40)}${']'.repeat(40)}}`),
      {},
      400,
    ],
    ['several at once', [CALL, CALL], {}, 404],
    ['no method', {}, {}, 404],
    ['a subscription', message('subscriptions/listen', { notifications: {} }), {}, 404],
    ['prompts', message('prompts/list'), {}, 404],
    ['resources', message('resources/read', { uri: 'file:///etc/passwd' }), {}, 404],
    ['an inherited name', message('constructor'), {}, 404],
  ];
  for (const [name, body, headers, status] of cases) {
    const answer = await post(url, body, { authorization, ...headers });
    assert.equal(answer.status, status, `${name}: ${answer.body}`);
  }
  assert.deepEqual([...identity.calls, ...api.calls], []);
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await fetch(`${url}/mcp`, { method, headers: { authorization } })).status, 404);
  }
});

test('an old protocol is told so and gets no tools', async (t) => {
  const turn = newTurn();
  const { url, keys, identity, api } = await startBridge(t, turn);
  const authorization = `Bearer ${grantFor(turn, keys.grant)}`;
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18' },
  };
  const told = await post(url, initialize, { authorization, 'mcp-protocol-version': '2025-06-18' });
  assert.equal(told.status, 400);
  assert.match(told.body, /2026-07-28/);
  const legacyCall = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'ticket.create' } };
  const refused = await post(url, legacyCall, { authorization, 'mcp-protocol-version': '2025-06-18' });
  assert.equal(refused.status, 400);
  const client = new Client({ name: 'old', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers: { authorization } },
  });
  await assert.rejects(client.connect(transport));
  assert.deepEqual(api.calls, []);
  assert.ok(identity.calls.length <= 1);
});

test('what it prints is its log and holds no words of the agent', async (t) => {
  verifies('T5.1', 'T1.3');
  const printed: unknown[][] = [];
  for (const name of ['log', 'warn', 'error'] as const) {
    t.mock.method(console, name, (...words: unknown[]) => printed.push(words));
  }
  const { client, logs } = await connected(t, newTurn());
  await callTool(client, 'ticket.triage', { note: CANARY });
  await callTool(client, CANARY);
  assert.deepEqual(printed, []);
  const lines = logs.map((line) => JSON.parse(line) as Record<string, unknown>);
  const called = lines.filter((line) => line.event === 'tool.called').map((line) => [line.tool, line.code]);
  assert.deepEqual(called, [
    ['ticket.triage', undefined],
    ['unlisted', 'unknown_command'],
  ]);
  assert.doesNotMatch(logs.join(''), /maria/);
});
