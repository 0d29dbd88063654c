import { METRICS_TYPE, parseTraceparent, type RequestSpan, type Telemetry } from '@deadlatch/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { asRefusal } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The span of this request; null where none is made. */
    span: RequestSpan | null;
  }
}

/** Asked every few seconds, and about the process itself. */
const UNTOLD: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz', '/metrics']);

/**
 * Gives every request a span and a measurement, by its route template: never by its address, which holds ids and the
 * secrets of links.
 *
 * A `traceparent` of the sender becomes a link of a trace of its own, until `followTrace` is told that the sender was
 * proven. `baggage` and `tracestate` are not read.
 * @source T5.1, F.3; W3C Trace Context, security considerations
 */
export function observeRequests(app: FastifyInstance, telemetry: Telemetry | undefined): void {
  app.decorateRequest('span', null);
  if (telemetry === undefined) return;
  const { tracing, metrics } = telemetry;
  app.addHook('onRequest', (request, _reply, done) => {
    if (UNTOLD.has(request.routeOptions.url)) return done();
    tracing.request(request.headers.traceparent, (span) => {
      request.span = span;
      done();
    });
  });
  const codes = new WeakMap<FastifyRequest, ReturnType<typeof asRefusal>>();
  app.addHook('onError', (request, _reply, error, done) => {
    if (request.span !== null) codes.set(request, asRefusal(error));
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { span, method } = request;
    if (span !== null) {
      const route = request.is404 ? undefined : request.routeOptions.url;
      const refusal = codes.get(request);
      span.end({
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': reply.statusCode,
        'error.type': refusal?.code,
      });
      const status = `${Math.floor(reply.statusCode / 100)}xx`;
      const seconds = reply.elapsedTime / 1_000;
      metrics.observe('http_request_duration_seconds', { method, route: route ?? '/*', status }, seconds);
      if (refusal !== undefined) metrics.add('http_refusals_total', { dimension: refusal.dimension });
    }
    done();
  });
}

/** `GET /metrics`, for servers that nobody outside can reach. */
export function addMetricsRoute(app: FastifyInstance, { metrics }: Telemetry): void {
  app.get('/metrics', async (_request, reply) =>
    reply.type(METRICS_TYPE).send(Buffer.from(await metrics.read())),
  );
}

/**
 * Puts the request into the trace that its sender names. Only after the sender was proven to be a service of ours:
 * whoever may choose our trace ids can tie his requests to those of others.
 * @invariant called by the verifiers of service signatures and certificates, and by nobody else
 */
export function followTrace(request: FastifyRequest): void {
  request.span?.follow(request.span.inbound);
}

/**
 * Puts the request into the trace of a statement that we signed and that its holder may not choose. What the holder
 * says of its own span is believed as far as it stays in that trace.
 * @param traceparent as it stands in the statement; null puts nothing anywhere
 */
export function followSignedTrace(request: FastifyRequest, traceparent: string | null): void {
  const signed = parseTraceparent(traceparent);
  const said = request.span?.inbound ?? null;
  request.span?.follow(signed !== null && said?.traceId === signed.traceId ? said : signed);
}
