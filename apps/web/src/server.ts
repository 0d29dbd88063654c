import { createGuessLimit, createRateLimit, RATES, type ServiceClient } from '@deadlatch/http';
import type { Clock } from '@deadlatch/kernel';
import type { FastifyInstance } from 'fastify';
import type { ClientFiles } from './client-files.ts';
import { addCommandRoutes } from './commands/route.ts';
import { createSealTexts } from './commands/seal-texts.ts';
import { addConsoleRoutes } from './console-routes.ts';
import { createOriginGate } from './edge/origin-gate.ts';
import { securityHeaders } from './edge/security-headers.ts';
import type { Identity, Vault } from './peers.ts';
import { addChoiceRoute } from './reads/choice-route.ts';
import { addReadRoutes } from './reads/routes.ts';
import { addStatusRoute } from './reads/status-route.ts';
import { cookieNames } from './sessions/cookies.ts';
import { createCurrentSession } from './sessions/current-session.ts';
import { addSessionRoutes } from './sessions/routes.ts';
import { createTokenSource } from './sessions/token-source.ts';
import { addUploadRoute } from './uploads/route.ts';

export interface WebOptions {
  /** The one origin people use; every other Host is refused. */
  readonly publicUrl: URL;
  readonly identity: Identity;
  readonly vault: Vault;
  readonly dispatchApi: ServiceClient;
  readonly dispatchApiUrl: URL;
  readonly client: ClientFiles;
  readonly fetch: typeof fetch;
  readonly now: Clock;
  readonly newId: () => string;
  /** A fresh secret of 32 bytes in base64url. */
  readonly newSecret: () => string;
  readonly uploadTimeoutMs: number;
}

/** Puts web's gate, headers and routes on a server of `@deadlatch/http`. */
export function addWeb(server: FastifyInstance, options: WebOptions): void {
  const cookies = cookieNames(options.publicUrl);
  const current = createCurrentSession(cookies, createRateLimit(RATES.session, options.now));
  const guesses = createGuessLimit(options.now);
  const tokens = createTokenSource({ ...options, guesses });
  const gate = createOriginGate(options.publicUrl);
  const headers = securityHeaders(cookies.secure);

  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    gate({
      method: request.method,
      target: request.raw.url ?? '',
      host: request.headers.host,
      origin: request.headers.origin,
      fetchSite: asText(request.headers['sec-fetch-site']),
    });
  });

  addConsoleRoutes(server, { client: options.client, newSecret: options.newSecret });
  addSessionRoutes(server, { ...options, tokens, guesses, current, cookies });
  addReadRoutes(server, { dispatchApi: options.dispatchApi, tokens, current });
  addStatusRoute(server, { dispatchApi: options.dispatchApi, guesses });
  addChoiceRoute(server, { dispatchApi: options.dispatchApi, guesses });
  addCommandRoutes(server, {
    dispatchApi: options.dispatchApi,
    tokens,
    current,
    sealTexts: createSealTexts(options.vault),
  });
  addUploadRoute(server, { ...options, tokens, current, timeoutMs: options.uploadTimeoutMs });
}

function asText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
