import { html } from '@deadlatch/http';
import type { FastifyInstance } from 'fastify';
import type { ClientFiles } from './client-files.ts';
import { consolePolicy } from './edge/security-headers.ts';
import { type Page, sendPage } from './pages/layout.ts';

const NONCE_PLACE = '__STYLE_NONCE__';
/** The addresses of the client's router. */
const CONSOLE_PATHS = ['/', '/tickets/:id', '/sites/:id', '/attention', '/reports'] as const;
const BUILD_HASHED = /^\/assets\//;

/** The console's page and files. They hold no data: everything a person sees comes through `/api`. */
export function addConsoleRoutes(
  server: FastifyInstance,
  options: { readonly client: ClientFiles; readonly newSecret: () => string },
): void {
  const { page, files } = options.client;
  for (const path of CONSOLE_PATHS) {
    server.get(path, async (_request, reply) => {
      if (page === null) return sendPage(reply, 503, NOT_BUILT);
      const styleNonce = options.newSecret();
      reply.header('content-security-policy', consolePolicy(styleNonce));
      return reply.type('text/html; charset=utf-8').send(page.replace(NONCE_PLACE, styleNonce));
    });
  }
  for (const [path, file] of files) {
    server.get(path, async (_request, reply) => {
      // Files of the build carry a hash of their content in their name.
      const caching = BUILD_HASHED.test(path)
        ? 'public, max-age=31536000, immutable'
        : 'public, max-age=3600';
      return reply.header('cache-control', caching).type(file.contentType).send(file.bytes);
    });
  }
}

const NOT_BUILT: Page = {
  title: 'Not built',
  body: html`<h1>The console has not been built</h1>
<p>Run <code>npm run build -w @deadlatch/web</code> and start again.</p>`,
};
