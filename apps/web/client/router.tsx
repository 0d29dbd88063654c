import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { AttentionPage } from './pages/attention.tsx';
import { QueuePage } from './pages/queue.tsx';
import { ReportsPage } from './pages/reports.tsx';
import { SitePage } from './pages/site.tsx';
import { TicketPage } from './pages/ticket.tsx';
import type { QueueSearch } from './queries.ts';
import { Shell } from './shell.tsx';
import { T } from './words/pages.ts';
import { QUEUE_PRIORITY_WORDS, STATE_WORDS } from './words/states.ts';

const root = createRootRoute({ component: Shell, notFoundComponent: () => <p>{T.notFoundTitle}</p> });

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** What the address says is checked before it is used: what is unknown is no filter. */
function queueSearch(search: Record<string, unknown>): QueueSearch {
  const { state, priority, site, mine, after } = search;
  return {
    ...(isText(state) && Object.hasOwn(STATE_WORDS, state) ? { state } : {}),
    ...(isText(priority) && Object.hasOwn(QUEUE_PRIORITY_WORDS, priority) ? { priority } : {}),
    ...(isText(site) && /^[0-9a-f-]{36}$/.test(site) ? { site } : {}),
    ...(mine === true ? { mine } : {}),
    ...(isText(after) ? { after } : {}),
  };
}

const queue = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: queueSearch,
  component: QueuePage,
});

const ticket = createRoute({ getParentRoute: () => root, path: '/tickets/$id', component: TicketPage });
const site = createRoute({ getParentRoute: () => root, path: '/sites/$id', component: SitePage });
const attention = createRoute({ getParentRoute: () => root, path: '/attention', component: AttentionPage });
const reports = createRoute({ getParentRoute: () => root, path: '/reports', component: ReportsPage });

/** The console's addresses; the server answers the same page for each of them. */
export function createConsoleRouter() {
  return createRouter({
    routeTree: root.addChildren([queue, ticket, site, attention, reports]),
    defaultPreload: false,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
