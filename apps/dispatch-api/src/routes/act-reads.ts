import { refuse } from '@deadlatch/kernel';
import { type Pool, withTenant } from '@deadlatch/postgres';
import type { FastifyInstance } from 'fastify';
import { actSecret } from '../link-secrets.ts';
import { listWaitingActs } from '../reads/acts.sql.ts';
import { requireReader } from '../reads/reader.ts';
import type { AuditedRead } from './audited-read.ts';

export interface ActReadParts {
  readonly audited: AuditedRead;
  readonly pool: Pool;
  readonly linkKey: Uint8Array;
  readonly identityPublicUrl: string;
}

/**
 * What waits for the reader's yes, with the reader's own link to the page where it is said.
 * @invariant nobody is given another's link; a link without its holder's code does nothing
 */
export function addActReadRoutes(app: FastifyInstance, parts: ActReadParts): void {
  app.get('/v1/acts', (request) =>
    parts.audited('act.list', request, ({ caller }) =>
      withTenant(parts.pool, caller.tenantId, async (tx) => {
        await requireReader(tx, 'act.list', caller);
        const staffId = caller.subject.id ?? refuse('not_granted', { detail: 'nobody' });
        const waiting = await listWaitingActs(tx, caller.tenantId, staffId);
        return {
          acts: waiting.map(({ act, confirmed }) => ({
            id: act.id,
            command: act.command,
            target_id: act.target_id,
            asked_by: act.asked_by,
            asked_at: act.asked_at,
            expires_at: act.expires_at,
            deciders: act.deciders,
            confirmed,
            confirm_url: `${parts.identityPublicUrl}/approve/${actSecret(staffId, act.id, parts.linkKey)}`,
          })),
        };
      }),
    ),
  );
}
