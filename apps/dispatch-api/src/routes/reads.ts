import type { Caller } from '@deadlatch/decision';
import { isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ObjectStore } from '../object-store/object-store.ts';
import { listAttention } from '../reads/attention.sql.ts';
import {
  conversationEntries,
  findConversation,
  listConversations,
  listPauses,
  listReports,
  listSites,
  listTechnicians,
} from '../reads/conversations.sql.ts';
import {
  presentApproval,
  presentEvidence,
  presentInvoice,
  presentSummary,
  presentTicket,
  presentVisit,
} from '../reads/fields.ts';
import { versionsInForce } from '../reads/present-publications.ts';
import { presentWaivers } from '../reads/present-waivers.ts';
import { listPublications } from '../reads/publications.sql.ts';
import { listQueue } from '../reads/queue.sql.ts';
import { readQueueFilter } from '../reads/queue-filter.ts';
import { writePlace } from '../reads/queue-place.ts';
import { type Reader, requireReader } from '../reads/reader.ts';
import {
  findEvidence,
  findTicket,
  listApprovals,
  listEvidence,
  PAGE,
  type TicketRows,
  ticketEvents,
} from '../reads/tickets.sql.ts';
import { presentEvent } from '../reads/timeline.ts';
import type { TrailReads } from '../reads/trail-reads.ts';
import type { AuditedRead } from './audited-read.ts';

export interface ReadRouteParts {
  readonly audited: AuditedRead;
  readonly trailReads: TrailReads;
  readonly pool: Pool;
  readonly store: Pick<ObjectStore, 'read'>;
  /** What this person may do with the ticket now. */
  readonly allowed: (caller: Caller, ticketId: string) => Promise<JsonValue>;
}

/** One read: what it answers to a reader that passed the gate. */
type Read = (tx: Tx, reader: Reader, request: FastifyRequest) => Promise<unknown>;

/** Reads of people and agents. Each runs in one transaction of the reader's tenant, under row-level security. */
export function addReadRoutes(app: FastifyInstance, parts: ReadRouteParts): void {
  const add = (name: string, route: string, read: Read) => {
    app.get(route, (request) =>
      parts.audited(name, request, ({ caller }) =>
        withTenant(parts.pool, caller.tenantId, async (tx) =>
          read(tx, await requireReader(tx, name, caller), request),
        ),
      ),
    );
  };

  add('self.get', '/v1/self', async (_tx, { caller, roles }) => ({
    kind: caller.subject.kind,
    id: caller.subject.id,
    roles: [...roles],
  }));
  add('site.list', '/v1/sites', async (tx, reader) => ({
    sites: await listSites(tx, reader.caller.tenantId, reader.sees),
  }));
  add('ticket.list', '/v1/tickets', async (tx, reader, request) => {
    const { caller, sees } = reader;
    const filter = readQueueFilter(request.query as Record<string, unknown>);
    const rows = await listQueue(tx, { tenantId: caller.tenantId, id: caller.subject.id, sees }, filter);
    const page = rows.slice(0, PAGE);
    const last = rows.length > PAGE ? page.at(-1) : undefined;
    return {
      tickets: page.map(({ rank: _, ...row }) => presentSummary(sees, row)),
      next: last ? writePlace({ rank: last.rank, at: last.reported_at, id: last.id }) : null,
    };
  });
  app.get('/v1/tickets/:id', (request) =>
    parts.audited('ticket.get', request, async ({ caller }) => {
      const { found, sees, published } = await withTenant(parts.pool, caller.tenantId, async (tx) => {
        const reader = await requireReader(tx, 'ticket.get', caller);
        const ticket = await requireTicket(tx, reader, request);
        const isAgent = reader.sees.kind === 'turn';
        // What an agent asks of a type that is new to the ticket.
        const rows = isAgent ? await listPublications(tx, caller.tenantId, 'incident_type') : null;
        return { found: ticket, sees: reader.sees, published: rows };
      });
      return {
        ticket: presentTicket(sees, found.ticket),
        site_label: found.site_label,
        visit: found.visit && presentVisit(sees, found.visit),
        invoice: found.invoice && presentInvoice(found.invoice),
        waivers: presentWaivers(sees, found.ticket, found.consents).map((waiver) => ({ ...waiver })),
        linked: sees.kind === 'tenant' ? found.linked.map((linked) => ({ ...linked })) : [],
        ...(published && { incident_types: versionsInForce(published) }),
        allowed: caller.agent ? [] : await parts.allowed(caller, found.ticket.id),
      };
    }),
  );
  app.get('/v1/tickets/:id/timeline', (request) =>
    parts.audited('ticket.timeline', request, async (proven) => {
      const { tenantId } = proven.caller;
      const { bodies, committed } = await withTenant(parts.pool, tenantId, async (tx) => {
        const reader = await requireReader(tx, 'ticket.timeline', proven.caller);
        const { ticket } = await requireTicket(tx, reader, request);
        const found = await ticketEvents(tx, tenantId, ticket.id);
        return {
          bodies: found,
          committed: await parts.trailReads.record(tx, proven, {
            command: 'ticket.timeline',
            resource: { kind: 'ticket', id: ticket.id },
            asked: {},
            events: found.length,
          }),
        };
      });
      committed();
      return { events: bodies.map(presentEvent) };
    }),
  );
  add('evidence.list', '/v1/tickets/:id/evidence', async (tx, reader, request) => {
    const { ticket } = await requireTicket(tx, reader, request);
    const rows = await listEvidence(tx, reader.caller.tenantId, ticket.id);
    return { evidence: rows.map((row) => presentEvidence(reader.sees, row)) };
  });
  app.get('/v1/evidence/:id/content', async (request, reply) => {
    const { type, bytes } = await parts.audited('evidence.content', request, async ({ caller }) => {
      const found = await withTenant(parts.pool, caller.tenantId, async (tx) => {
        const reader = await requireReader(tx, 'evidence.content', caller);
        return findEvidence(tx, caller.tenantId, reader.sees, idOf(request));
      });
      // After the transaction: bytes may take long, and what is stored under a hash never changes.
      const stored = found && (await parts.store.read(caller.tenantId, found.content_key));
      return found && stored ? { type: found.content_type, bytes: stored } : refuse('not_found');
    });
    return reply.headers(CONTENT_HEADERS).type(type).send(bytes);
  });
  add('approval.list', '/v1/tickets/:id/approvals', async (tx, reader, request) => {
    const { ticket } = await requireTicket(tx, reader, request);
    const rows = await listApprovals(tx, reader.caller.tenantId, ticket.id);
    return { approvals: rows.map((row) => presentApproval(reader.sees, row)) };
  });
  add('conversation.list', '/v1/conversations', async (tx, reader) => ({
    conversations: await listConversations(tx, reader.caller.tenantId),
  }));
  add('conversation.get', '/v1/conversations/:id', async (tx, reader, request) => {
    const { tenantId } = reader.caller;
    const conversation = await findConversation(tx, tenantId, reader.sees, idOf(request));
    if (!conversation) return refuse('not_found');
    return { conversation, entries: await conversationEntries(tx, tenantId, conversation.id) };
  });
  add('attention.list', '/v1/attention', async (tx, reader) => ({
    attention: await listAttention(tx, reader.caller.tenantId),
  }));
  add('report.list', '/v1/reports', async (tx, reader) => ({
    reports: await listReports(tx, reader.caller.tenantId),
  }));
  add('technician.list', '/v1/technicians', async (tx, reader) => ({
    technicians: await listTechnicians(tx, reader.caller.tenantId),
  }));
  add('autonomy.get', '/v1/autonomy', async (tx, reader) => ({
    pauses: await listPauses(tx, reader.caller.tenantId),
  }));
}

/** What somebody uploaded is never more than a picture: not sniffed, not a document, not kept. */
const CONTENT_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'no-store',
} as const;

async function requireTicket(tx: Tx, reader: Reader, request: FastifyRequest): Promise<TicketRows> {
  const found = await findTicket(tx, reader.caller.tenantId, reader.sees, idOf(request));
  return found ?? refuse('not_found');
}

function idOf(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  return isUuid(id) ? id : refuse('not_found', { detail: 'not an id' });
}
