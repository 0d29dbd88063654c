import { QueryCache, QueryClient, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  type Attention,
  type Catalogue,
  type CommandAnswer,
  type IncidentInForce,
  type Me,
  type Pause,
  Problem,
  type Queue,
  type Recommendations,
  type Report,
  read,
  type Site,
  send,
  type Technician,
  type TicketPage,
} from './api.ts';
import type { SitePage } from './site-view.ts';

/** How often what is shown is read again. Nothing is ever guessed in between. */
const POLL_MS = 4_000;

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => read<Me>('/api/me', signal),
  staleTime: 60_000,
});

export const catalogueQuery = queryOptions({
  queryKey: ['catalogue'],
  queryFn: ({ signal }) => read<Catalogue>('/api/catalogue', signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** What of the queue is shown; it stands in the address. */
export interface QueueSearch {
  readonly state?: string;
  readonly priority?: string;
  readonly site?: string;
  readonly mine?: true;
  readonly after?: string;
}

export function queueQuery(search: QueueSearch) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) query.set(name, String(value));
  const text = query.toString();
  return queryOptions({
    queryKey: ['queue', text],
    queryFn: ({ signal }) => read<Queue>(`/api/queue${text === '' ? '' : `?${text}`}`, signal),
    refetchInterval: POLL_MS,
  });
}

export function ticketQuery(id: string) {
  return queryOptions({
    queryKey: ['ticket', id],
    queryFn: ({ signal }) => read<TicketPage>(`/api/tickets/${encodeURIComponent(id)}`, signal),
    refetchInterval: POLL_MS,
  });
}

export function recommendationsQuery(id: string) {
  return queryOptions({
    queryKey: ['ticket', id, 'recommendations'],
    queryFn: ({ signal }) =>
      read<Recommendations>(`/api/tickets/${encodeURIComponent(id)}/recommendations`, signal),
  });
}

export const techniciansQuery = queryOptions({
  queryKey: ['technicians'],
  queryFn: ({ signal }) => read<{ technicians?: readonly Technician[] }>('/api/technicians', signal),
  staleTime: 60_000,
});

export const incidentTypesQuery = queryOptions({
  queryKey: ['incident-types'],
  queryFn: ({ signal }) =>
    read<{ incident_types?: readonly IncidentInForce[] }>('/api/incident-types', signal),
  staleTime: 60_000,
});

export const sitesQuery = queryOptions({
  queryKey: ['sites'],
  queryFn: ({ signal }) => read<{ sites?: readonly Site[] }>('/api/sites', signal),
  staleTime: 60_000,
});

export function siteQuery(id: string) {
  return queryOptions({
    queryKey: ['site', id],
    queryFn: ({ signal }) => read<SitePage>(`/api/sites/${encodeURIComponent(id)}`, signal),
    staleTime: 60_000,
  });
}

export const autonomyQuery = queryOptions({
  queryKey: ['autonomy'],
  queryFn: ({ signal }) => read<{ pauses?: readonly Pause[] }>('/api/autonomy', signal),
  refetchInterval: POLL_MS,
});

export const attentionQuery = queryOptions({
  queryKey: ['attention'],
  queryFn: ({ signal }) => read<{ attention?: readonly Attention[] }>('/api/attention', signal),
  refetchInterval: POLL_MS,
});

export const reportsQuery = queryOptions({
  queryKey: ['reports'],
  queryFn: ({ signal }) => read<{ reports?: readonly Report[] }>('/api/reports', signal),
  refetchInterval: POLL_MS,
});

/** Retrying hides nothing here: a refusal stays a refusal, only an outage is tried once more. */
function retryOutages(count: number, error: Error): boolean {
  return error instanceof Problem && error.code === 'unavailable' && count < 1;
}

const CHANGED_BY_COMMANDS: ReadonlySet<unknown> = new Set([
  'ticket',
  'queue',
  'autonomy',
  'attention',
  'reports',
]);

/** The client's store of what was read. When any read finds the session over, the whole page learns it. */
export function createQueries(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, query) => {
        const isOver = error instanceof Problem && error.code === 'unauthenticated';
        if (isOver && query.queryKey[0] !== 'me') void client.invalidateQueries({ queryKey: ['me'] });
      },
    }),
    defaultOptions: { queries: { retry: retryOutages, staleTime: 1_000 } },
  });
  return client;
}

export interface CommandCall {
  readonly command: string;
  readonly targetId: string | null;
  readonly input: unknown;
  readonly idempotencyKey: string;
}

/**
 * Sends a command and then reads everything shown again, before it says that it is done: the page never
 * shows a state that was not read after the mutation (T2.2).
 */
export function useSendCommand(): (call: CommandCall) => Promise<CommandAnswer> {
  const client = useQueryClient();
  const me = useQuery(meQuery);
  return async (call) => {
    try {
      return await send<CommandAnswer>(`/api/commands/${call.command}`, me.data?.csrf ?? '', {
        target_id: call.targetId,
        input: call.input,
        idempotency_key: call.idempotencyKey,
      });
    } finally {
      await client.invalidateQueries({
        predicate: (query) => CHANGED_BY_COMMANDS.has(query.queryKey[0]),
      });
    }
  };
}
