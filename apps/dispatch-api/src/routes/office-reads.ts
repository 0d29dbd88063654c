import { isUuid, refuse } from '@deadlatch/kernel';
import { type Pool, withTenant } from '@deadlatch/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readAuditFilter } from '../reads/audit-filter.ts';
import { searchEvents } from '../reads/audit-search.sql.ts';
import { DIRECTORY_KINDS, listDirectory } from '../reads/directory.sql.ts';
import { presentIncidentTypes, presentPhrases, presentTemplates } from '../reads/present-publications.ts';
import { listPublications } from '../reads/publications.sql.ts';
import { requireReader } from '../reads/reader.ts';
import { findSite } from '../reads/sites.sql.ts';
import { presentFound } from '../reads/timeline.ts';
import type { TrailReads } from '../reads/trail-reads.ts';
import type { AuditedRead } from './audited-read.ts';

export interface OfficeReadParts {
  readonly audited: AuditedRead;
  readonly trailReads: TrailReads;
  readonly pool: Pool;
}

/** What the office looks up beside tickets: a site, the texts that customers get, the trail. */
export function addOfficeReadRoutes(app: FastifyInstance, parts: OfficeReadParts): void {
  const { audited, trailReads, pool } = parts;

  app.get('/v1/sites/:id', (request) =>
    audited('site.get', request, ({ caller }) =>
      withTenant(pool, caller.tenantId, async (tx) => {
        const { sees } = await requireReader(tx, 'site.get', caller);
        const site = await findSite(tx, caller.tenantId, sees, idOf(request));
        return { site: site ?? refuse('not_found') };
      }),
    ),
  );

  app.get('/v1/directory', (request) =>
    audited('directory.list', request, ({ caller }) =>
      withTenant(pool, caller.tenantId, async (tx) => {
        await requireReader(tx, 'directory.list', caller);
        const { kind, after } = readPlaceInDirectory(request.query as Record<string, unknown>);
        return listDirectory(tx, caller.tenantId, kind, after);
      }),
    ),
  );

  app.get('/v1/templates', (request) =>
    audited('template.list', request, ({ caller }) =>
      withTenant(pool, caller.tenantId, async (tx) => {
        await requireReader(tx, 'template.list', caller);
        const published = await listPublications(tx, caller.tenantId, 'template');
        return { templates: presentTemplates(published), phrases: presentPhrases() };
      }),
    ),
  );

  app.get('/v1/incident-types', (request) =>
    audited('incident_type.list', request, ({ caller }) =>
      withTenant(pool, caller.tenantId, async (tx) => {
        await requireReader(tx, 'incident_type.list', caller);
        const published = await listPublications(tx, caller.tenantId, 'incident_type');
        return { incident_types: presentIncidentTypes(published) };
      }),
    ),
  );

  app.get('/v1/audit', (request) =>
    audited('audit.search', request, async (proven) => {
      const { tenantId } = proven.caller;
      const { page, committed } = await withTenant(pool, tenantId, async (tx) => {
        await requireReader(tx, 'audit.search', proven.caller);
        const { filter, asked } = readAuditFilter(request.query as Record<string, unknown>);
        const found = await searchEvents(tx, tenantId, filter);
        const events = found.bodies.length;
        const read = { command: 'audit.search', resource: null, asked, events };
        return { page: found, committed: await trailReads.record(tx, proven, read) };
      });
      committed();
      return { events: page.bodies.map(presentFound), next: page.next };
    }),
  );
}

/** `kind` and `after` are the only parameters; anything else is refused, not ignored. */
function readPlaceInDirectory(query: Readonly<Record<string, unknown>>) {
  const { kind, after, ...others } = query;
  const known = DIRECTORY_KINDS.find((one) => one === kind);
  const isPlace = after === undefined || (typeof after === 'string' && isUuid(after));
  if (known === undefined || !isPlace || Object.keys(others).length > 0) {
    return refuse('schema_mismatch', { detail: 'query' });
  }
  return { kind: known, after: after ?? null };
}

function idOf(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  return isUuid(id) ? id : refuse('not_found', { detail: 'not an id' });
}
