import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { refuse } from '@deadlatch/kernel';
import { createLogger, createTelemetry } from '@deadlatch/telemetry';
import { verifies } from '../../../test/requirements.ts';
import { type Collector, startCollector } from '../../../test/support/collector.ts';
import { authenticate } from './authenticate.ts';
import { createKeyRing } from './key-ring.ts';
import { followSignedTrace } from './observe-requests.ts';
import { AUDIENCE, key, pinned } from './server.fixture.ts';
import { createHttpServer } from './server.ts';
import { createServiceClient } from './service-client.ts';

const CANARY = 'maria.lopez@example.com';
const STRANGER = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16) };
const FORGED = `00-${STRANGER.traceId}-${STRANGER.spanId}-01`;
const OWN = { traceId: 'e'.repeat(32), spanId: 'f'.repeat(16) };
const SIGNED = `00-${OWN.traceId}-${OWN.spanId}-01`;

interface Observed {
  readonly url: string;
  readonly collector: Collector;
  readonly logs: string[];
  /** Trace ids that handlers saw as theirs. */
  readonly traceIds: (string | null)[];
  /** Ends the service, so that everything it had to say was said. */
  end(): Promise<void>;
}

/** A real service with every kind of route, a caller of it, and a real receiver of what they tell. */
async function startObserved(t: TestContext): Promise<Observed> {
  const collector = await startCollector();
  const logs: string[] = [];
  const traceIds: (string | null)[] = [];
  const telemetry = createTelemetry({
    service: 'vault',
    environment: 'demo',
    otlpEndpoint: collector.url,
    random: randomBytes,
  });
  const { tracing } = telemetry;
  const app = createHttpServer({
    service: 'vault',
    logger: createLogger({
      service: 'vault',
      level: 'debug',
      traceId: tracing.traceId,
      write: (line) => logs.push(line),
    }),
    bodyLimitBytes: 1_024,
    ready: async () => undefined,
    telemetry,
    hasMetrics: true,
  });
  const keys = createKeyRing({ read: () => [pinned], now: Date.now });
  const gate = { audience: AUDIENCE, keys, now: Date.now };
  app.post('/v1/signed/:id', async (request) => {
    await authenticate(request, { ...gate, shapes: [{ write: true, token: false }] });
    traceIds.push(tracing.traceId());
    return {};
  });
  app.post('/public/:secret', async () => {
    traceIds.push(tracing.traceId());
    return {};
  });
  app.post('/granted', async (request) => {
    followSignedTrace(request, SIGNED);
    traceIds.push(tracing.traceId());
    return {};
  });
  app.post('/broken/:secret', async () => {
    throw new TypeError(`cannot read ${CANARY}`);
  });
  app.post('/refused/:secret', async () =>
    refuse('rate_limited', { detail: CANARY, extra: { who: CANARY } }),
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const end = async () => {
    await app.close();
    await telemetry.close();
  };
  t.after(async () => {
    await end();
    await collector.close();
  });
  return { url, collector, logs, traceIds, end };
}

function post(url: string, headers: Record<string, string> = {}, body: unknown = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

test('a proven service is followed, under one trace id, with parent and child', async (t) => {
  verifies('F.3');
  const o = await startObserved(t);
  const caller = createTelemetry({
    service: 'gateway',
    environment: 'demo',
    otlpEndpoint: o.collector.url,
    random: randomBytes,
  });
  const sent: Headers[] = [];
  const client = createServiceClient({
    service: 'gateway',
    key: () => key,
    baseUrl: o.url,
    audience: AUDIENCE,
    fetch: (input, init) => {
      sent.push(new Headers(init?.headers));
      return fetch(input, init);
    },
    now: Date.now,
    random: randomBytes,
    timeoutMs: 5_000,
    tracing: caller.tracing,
  });
  const traceId = await caller.tracing.span('turn', {}, async () => {
    await client.write('/v1/signed/17', { note: CANARY });
    return caller.tracing.traceId();
  });
  await caller.close();
  await o.end();
  const { spans } = o.collector;
  assert.deepEqual(
    new Map(spans.map((span) => [`${span.service} ${span.name}`, span.traceId])),
    new Map(['gateway call', 'gateway turn', 'vault request'].map((name) => [name, traceId])),
  );
  const find = (name: string) => spans.find((span) => span.name === name);
  assert.equal(find('request')?.parentSpanId, find('call')?.spanId);
  assert.equal(find('call')?.parentSpanId, find('turn')?.spanId);
  assert.deepEqual(find('request')?.attributes, {
    'http.request.method': 'POST',
    'http.route': '/v1/signed/:id',
    'http.response.status_code': 200,
  });
  assert.deepEqual(find('call')?.attributes, { 'http.request.method': 'POST', 'deadlatch.peer': 'vault' });
  assert.deepEqual(o.traceIds, [traceId]);
  assert.ok(spans.every((span) => span.startedAt > 0n && span.endedAt >= span.startedAt));
  for (const headers of sent) {
    assert.ok(headers.has('traceparent'));
    for (const name of ['tracestate', 'baggage']) assert.equal(headers.has(name), false, name);
  }
});

test('a trace that a stranger names is a link: on a public route, and on one that he is refused on', async (t) => {
  verifies('F.3', 'T5.4');
  const o = await startObserved(t);
  assert.equal((await post(`${o.url}/public/x`, { traceparent: FORGED })).status, 200);
  assert.equal((await post(`${o.url}/v1/signed/17`, { traceparent: FORGED })).status, 401);
  await o.end();
  const { spans } = o.collector;
  assert.equal(spans.length, 2);
  for (const span of spans) {
    assert.notEqual(span.traceId, STRANGER.traceId);
    assert.equal(span.parentSpanId, '');
    assert.deepEqual(span.links, [STRANGER]);
  }
  assert.equal(new Set(spans.map((span) => span.traceId)).size, 2);
  assert.ok(!o.traceIds.includes(STRANGER.traceId));
  assert.ok(o.logs.every((line) => !line.includes(STRANGER.traceId)));
});

test('what cannot be read names no trace', async (t) => {
  const o = await startObserved(t);
  for (const traceparent of [CANARY, `${FORGED}-01`, '', `ff${FORGED.slice(2)}`]) {
    assert.equal((await post(`${o.url}/public/x`, { traceparent })).status, 200);
  }
  await o.end();
  assert.equal(o.collector.spans.length, 4);
  assert.ok(o.collector.spans.every((span) => span.links.length === 0 && span.parentSpanId === ''));
});

test('the holder of a statement stays in the trace that we signed into it', async (t) => {
  verifies('F.3');
  const o = await startObserved(t);
  const inside = { ...OWN, spanId: '1'.repeat(16) };
  await post(`${o.url}/granted`, { traceparent: FORGED });
  await post(`${o.url}/granted`, { traceparent: `00-${inside.traceId}-${inside.spanId}-01` });
  await post(`${o.url}/granted`);
  await o.end();
  assert.deepEqual(
    o.collector.spans.map((span) => [span.traceId, span.parentSpanId, span.links]),
    [
      [OWN.traceId, OWN.spanId, [STRANGER]],
      [OWN.traceId, inside.spanId, []],
      [OWN.traceId, OWN.spanId, []],
    ],
  );
});

test('nothing that was sent appears in any span, metric or line', async (t) => {
  verifies('T5.1', 'T5.4');
  const o = await startObserved(t);
  const headers = {
    traceparent: `00-${CANARY}-01`,
    tracestate: `vendor=${CANARY},other=15550102233`,
    baggage: `user=${CANARY},phone=15550102233`,
    authorization: `Bearer ${CANARY}`,
    'user-agent': CANARY,
    'x-request-id': CANARY,
    'x-forwarded-for': CANARY,
    cookie: `who=${CANARY}`,
  };
  const paths = ['public', 'broken', 'refused', 'v1/signed'].map((path) => `${path}/${CANARY}`);
  for (const path of [...paths, `unknown/${CANARY}`, 'public/15550102233', `public/x%20${CANARY}`]) {
    await post(`${o.url}/${path}?who=${CANARY}`, headers, { who: CANARY, [CANARY]: ['15550102233'] });
  }
  const answer = await fetch(`${o.url}/metrics`);
  const metrics = await answer.text();
  await o.end();
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(metrics, /_count\{method="POST",route="\/broken\/:secret",status="5xx"\} 1\n/);
  assert.match(metrics, /_count\{method="POST",route="\/\*",status="4xx"\} 1\n/);
  assert.match(metrics, /deadlatch_http_refusals_total\{dimension="rate"\} 1\n/);
  const told = [
    metrics,
    ...o.logs,
    ...o.collector.requests.flatMap(({ path, headers, body }) => [path, headers, body]),
  ];
  assert.equal(o.collector.spans.length, 7);
  assert.equal(o.collector.spans.filter((span) => span.isFailed).length, 4);
  for (const text of told) assert.doesNotMatch(text, /maria|15550102233|vendor/i);
});

test('health and metrics are not told of; without a collector a request still has a trace', async (t) => {
  const o = await startObserved(t);
  for (const path of ['livez', 'readyz', 'metrics'])
    assert.equal((await fetch(`${o.url}/${path}`)).status, 200);
  await o.end();
  assert.deepEqual(o.collector.spans, []);

  const telemetry = createTelemetry({
    service: 'vault',
    environment: 'demo',
    otlpEndpoint: null,
    random: randomBytes,
  });
  const app = createHttpServer({
    service: 'vault',
    logger: createLogger({ service: 'vault', level: 'silent' }),
    bodyLimitBytes: 64,
    ready: async () => undefined,
    telemetry,
  });
  app.get('/who', async () => ({ trace: telemetry.tracing.traceId() }));
  const { trace } = (await app.inject('/who')).json() as { trace: string };
  assert.match(trace, /^[0-9a-f]{32}$/);
  // Public servers have no such route.
  assert.equal((await app.inject('/metrics')).statusCode, 404);
  await app.close();
});
