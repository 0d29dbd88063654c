import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { AttentionPage } from './pages/attention.tsx';
import { QueuePage } from './pages/queue.tsx';
import { ReportsPage } from './pages/reports.tsx';
import { TicketPage } from './pages/ticket.tsx';
import { Shell } from './shell.tsx';
import { STATE_WORDS, T } from './strings.ts';

const root = createRootRoute({ component: Shell, notFoundComponent: () => <p>{T.notFoundTitle}</p> });

interface QueueSearch {
  readonly state?: string;
  readonly after?: string;
}

const queue = createRoute({
  getParentRoute: () => root,
  path: '/',
  // What the address says is checked before it is used: an unknown state is no filter.
  validateSearch: (search: Record<string, unknown>): QueueSearch => ({
    ...(typeof search.state === 'string' && Object.hasOwn(STATE_WORDS, search.state)
      ? { state: search.state }
      : {}),
    ...(typeof search.after === 'string' ? { after: search.after } : {}),
  }),
  component: QueuePage,
});

const ticket = createRoute({ getParentRoute: () => root, path: '/tickets/$id', component: TicketPage });
const attention = createRoute({ getParentRoute: () => root, path: '/attention', component: AttentionPage });
const reports = createRoute({ getParentRoute: () => root, path: '/reports', component: ReportsPage });

/** The console's addresses; the server answers the same page for each of them. */
export function createConsoleRouter() {
  return createRouter({
    routeTree: root.addChildren([queue, ticket, attention, reports]),
    defaultPreload: false,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
