import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DispatchError, refuse, systemClock } from '@deadlatch/kernel';
import { parseTarget, readSingleHeaders } from '@deadlatch/signing';
import { codeOf, type Logger, type Telemetry, traceOf } from '@deadlatch/telemetry';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { closeConnections, isAnswering } from './close-connections.ts';
import { addMetricsRoute, observeRequests } from './observe-requests.ts';
import { createPeerProof } from './peer.ts';
import { asRefusal, PROBLEM_TYPE, problemFor } from './problem.ts';
import { createRateLimit, RATES, type RateLimit } from './rate-limit.ts';
import { assertBodyHeaders, discardRest, keepRawBodies, NO_BODY } from './raw-body.ts';
import type { TlsFiles } from './tls-files.ts';
import { createTlsServer } from './tls-server.ts';

/** Limits of every server. Milliseconds and bytes. */
export const SERVER_LIMITS = {
  /** A user token, a signature and their company need about 3 kB. */
  maxHeaderBytes: 16_384,
  maxHeaders: 64,
  /** From the first byte to the last of the headers, and of the whole request: slow senders are cut off. */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  /** How often node looks for requests that are too slow. */
  checkingIntervalMs: 2_000,
  keepAliveTimeoutMs: 30_000,
  /** Secrets in paths have 43 characters, ids 36. */
  maxParamLength: 128,
  maxConnections: 1_024,
} as const;

/** Headers of every answer; nothing here may be kept by a cache or read as another type. */
const ANSWER_HEADERS = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' } as const;

export interface HttpServerOptions {
  readonly service: string;
  readonly logger: Logger;
  /** the largest body of a route that does not say otherwise */
  readonly bodyLimitBytes: number;
  /** rejects while a dependency is not usable */
  readonly ready: () => Promise<void>;
  /** longest silence on a connection, which includes the time a handler takes; 60 s unless told */
  readonly idleTimeoutMs?: number;
  /**
   * our certificate and whom we trust: every request must then come from a service that proves itself. Absent where
   * browsers or carriers call; null where a mesh carries TLS
   */
  readonly tls?: TlsFiles | null;
  /** what every request is traced and measured with; nothing is unless told */
  readonly telemetry?: Telemetry;
  /** whether `GET /metrics` is served: only where nobody outside can reach */
  readonly hasMetrics?: boolean;
  /** how fast one peer may ask; `RATES.peer` unless told */
  readonly peerRate?: Pick<RateLimit, 'spend'>;
  /** mints request ids; random UUIDs unless told */
  readonly newRequestId?: () => string;
}

/**
 * A Fastify server with the edge that all services share: limits, no parsing of bodies (handlers parse
 * `request.rawBody` strictly), one reading of every request, problem documents for every error, health routes.
 *
 * Unknown errors answer `unavailable` and are logged by class and place. `x-request-id` and correlation headers of
 * the sender are ignored: an id that a stranger chose proves nothing.
 * @source I.4, C.0, RFC 9457
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { logger, tls } = options;
  const newRequestId = options.newRequestId ?? randomUUID;
  const idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
  const limits = {
    maxHeaderSize: SERVER_LIMITS.maxHeaderBytes,
    headersTimeout: SERVER_LIMITS.headersTimeoutMs,
    connectionsCheckingInterval: SERVER_LIMITS.checkingIntervalMs,
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    requestIdHeader: false,
    genReqId: () => newRequestId(),
    trustProxy: false,
    exposeHeadRoutes: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    return503OnClosing: true,
    requestTimeout: SERVER_LIMITS.requestTimeoutMs,
    keepAliveTimeout: SERVER_LIMITS.keepAliveTimeoutMs,
    connectionTimeout: idleTimeoutMs,
    routerOptions: {
      maxParamLength: SERVER_LIMITS.maxParamLength,
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
    },
    http: limits,
    ...(tls && {
      serverFactory: (listener: RequestListener) => {
        const timeouts = {
          requestTimeout: SERVER_LIMITS.requestTimeoutMs,
          keepAliveTimeout: SERVER_LIMITS.keepAliveTimeoutMs,
          handshakeTimeout: SERVER_LIMITS.headersTimeoutMs,
        };
        const server = createTlsServer(tls, logger, { ...limits, ...timeouts }, listener);
        server.setTimeout(idleTimeoutMs);
        return server;
      },
    }),
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply, logger);
    },
    clientErrorHandler: (error, socket) => {
      refuseGarbage(error, socket, newRequestId());
    },
  });
  app.server.maxHeadersCount = SERVER_LIMITS.maxHeaders;
  app.server.maxConnections = SERVER_LIMITS.maxConnections;
  closeConnections(app);
  keepRawBodies(app);
  app.decorateRequest('rawBody');
  observeRequests(app, options.telemetry);
  app.decorateRequest('peer', null);
  const provePeer = tls ? createPeerProof(tls) : undefined;
  const peerRate = options.peerRate ?? createRateLimit(RATES.peer, systemClock);
  app.addHook('onRequest', async (request, reply) => {
    request.rawBody = NO_BODY;
    reply.headers({ ...ANSWER_HEADERS, 'x-request-id': request.id });
    if (provePeer !== undefined) {
      // Kept only when it is proven: who it was so far counts for nothing.
      reply.header('connection', 'close');
      request.peer = provePeer(request.raw.socket);
      reply.removeHeader('connection');
    }
    // Before anything that costs more, a body first of all.
    peerRate.spend(request.peer?.service ?? request.ip);
    assertOneReading(request.raw);
    // The router takes `/v1/tickets/` for `/v1/tickets/:id` with an empty id.
    if (request.is404 || hasEmptyParameter(request)) refuse('not_found', { detail: 'unknown_route' });
    assertBodyHeaders(request, request.routeOptions.bodyLimit ?? options.bodyLimitBytes);
  });
  app.addHook('onResponse', async (request) => discardRest(request.raw));
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new DispatchError('not_found', { detail: 'unknown_route' }), request, reply, logger),
  );
  addHealth(app, options);
  if (options.hasMetrics === true && options.telemetry) addMetricsRoute(app, options.telemetry);
  return app;
}

/** Refuses requests that two readers could read in two ways. @throws DispatchError `malformed_body` */
function assertOneReading(message: IncomingMessage): void {
  readSingleHeaders(message.rawHeaders);
  parseTarget(message.url ?? '');
}

function hasEmptyParameter({ params }: FastifyRequest): boolean {
  const given: object = typeof params === 'object' && params !== null ? params : {};
  return Object.entries(given).some(([name, value]) => name !== '*' && value === '');
}

function addHealth(app: FastifyInstance, { ready, logger }: HttpServerOptions): void {
  app.get('/livez', async () => ({ status: 'alive' }));
  app.get('/readyz', async () => {
    try {
      await ready();
    } catch (cause) {
      const { error, place } = traceOf(cause);
      logger.event('service.not_ready', { code: codeOf(cause), error, place });
      // Its public members say why, where that is for everybody to know.
      const extra = cause instanceof DispatchError ? cause.extra : {};
      throw new DispatchError('unavailable', { detail: 'not_ready', extra, cause });
    }
    return { status: 'ready' };
  });
}

const REASON = /^[a-z][a-z0-9_]{0,47}$/;

function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const refusal = asRefusal(error);
  const { status, body } = problemFor(refusal, request.id);
  const route = request.routeOptions?.url;
  if (refusal.code === 'unavailable') {
    logger.event('request.failed', {
      route,
      code: refusal.code,
      request_id: request.id,
      ...traceOf(refusal),
    });
  } else {
    // Details of other gates may be written by many hands; those of authentication are our own constants.
    const isOurs = refusal.dimension === 'authentication' && REASON.test(refusal.detail ?? '');
    logger.event('request.refused', {
      route,
      code: refusal.code,
      dimension: refusal.dimension,
      reason: isOurs ? refusal.detail : undefined,
      status,
      request_id: request.id,
    });
  }
  if (status === 503 || status === 429) reply.header('retry-after', '1');
  return (
    reply
      .code(status)
      .headers({ ...ANSWER_HEADERS, 'x-request-id': request.id })
      .type(PROBLEM_TYPE)
      // As bytes: to a string Fastify would add a charset, which this type does not have.
      .send(Buffer.from(JSON.stringify(body)))
  );
}

/**
 * Answers bytes that are no HTTP request. Once a connection has carried a request it is only cut: an answer out of
 * turn would be taken for that of the request before it.
 */
function refuseGarbage(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  // A handshake that failed ends up here as well.
  const isStranger = socket instanceof TLSSocket && !socket.authorized;
  if (!isStranger && socket.writable && socket.bytesWritten === 0 && !isAnswering(socket)) {
    const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const { status, body } = problemFor(
      new DispatchError(isTooLarge ? 'payload_too_large' : 'malformed_body'),
      requestId,
    );
    const content = JSON.stringify(body);
    socket.write(
      `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
        `x-request-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(content)}\r\n\r\n${content}`,
    );
  }
  socket.destroySoon();
}
