import type { FastifyInstance } from 'fastify';
import type { LogWatch } from './log-watch.ts';

/** What tells an operator how the process is; everything else is service. */
const HEALTH: ReadonlySet<string> = new Set(['/livez', '/readyz', '/metrics']);

/**
 * Nothing is served from a database that lies behind what was witnessed: what it says is not true any more.
 * @source F.8, design 03
 */
export function refuseWhileBehind(app: FastifyInstance, watch: Pick<LogWatch, 'assertServing'>): void {
  app.addHook('onRequest', async (request) => {
    if (!HEALTH.has(request.routeOptions.url ?? '')) watch.assertServing();
  });
}
