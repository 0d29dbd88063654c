import type { ServiceName } from '@deadlatch/catalogue';
import {
  type Caller,
  type Facts,
  type OptionRow,
  openAnswers,
  renderText,
  windowSlot,
  windowWords,
} from '@deadlatch/decision';
import { isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { type Pool, type Tx, withTenant } from '@deadlatch/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GrantIssuer } from '../grants/issue-grants.ts';
import { LINK_SECRET, linkHash, linkSecret } from '../link-secrets.ts';
import { type ActNow, findLinkedAct, listImported } from '../reads/acts.sql.ts';
import { presentAdoptions } from '../reads/adoptions.ts';
import {
  ASKS_FOR_APPROVAL,
  findApproval,
  findLink,
  findOutbound,
  findStatus,
  type MessageNow,
} from '../reads/delivery.sql.ts';
import { presentWaivers } from '../reads/present-waivers.ts';
import { requireReadCeiling } from '../reads/reader.ts';
import { isStillTrue } from '../reads/still-true.ts';
import { findTapped } from '../reads/tapped-link.sql.ts';
import type { AuditedRead } from './audited-read.ts';

export interface ServiceReadParts {
  readonly audited: AuditedRead;
  readonly pool: Pool;
  readonly grants: GrantIssuer;
  readonly linkKey: Uint8Array;
  readonly webPublicUrl: string;
  readonly identityPublicUrl: string;
  readonly senderName: string;
  /** Facts of an agent's live turn, and the commands it may send now. */
  readonly turn: (caller: Caller) => Promise<{ facts: Facts; tools: readonly string[] }>;
}

/** Reads that only one service may make, each without a user: its ceiling and a secret or an id are the authority. */
export function addServiceReadRoutes(app: FastifyInstance, parts: ServiceReadParts): void {
  const add = (
    name: string,
    route: string,
    service: ServiceName,
    read: (tx: Tx, tenantId: string, request: FastifyRequest) => Promise<JsonValue>,
  ) => {
    app.get(route, (request) =>
      parts.audited(name, request, async ({ caller }) => {
        requireReadCeiling(name, caller);
        if (caller.service !== service || caller.scope !== 'service')
          refuse('not_granted', { detail: 'service' });
        return withTenant(parts.pool, caller.tenantId, (tx) => read(tx, caller.tenantId, request));
      }),
    );
  };
  add('message.rendered', '/v1/messages/:id/rendered', 'gateway', (tx, tenantId, request) =>
    readRendered(tx, tenantId, idOf(request), parts),
  );
  add('step_up.get', '/v1/step-ups/:secret', 'identity', (tx, tenantId, request) =>
    readStepUp(tx, tenantId, secretOf(request), parts),
  );
  add('step_up.adoptions', '/v1/step-ups/:secret/adoptions', 'identity', async (tx, tenantId, request) => {
    const asked = await findLinkedAct(tx, tenantId, linkHash(secretOf(request)));
    if (!asked) return refuse('not_found');
    const imported = await listImported(tx, tenantId, asked.act.id);
    return presentAdoptions(asked, imported, parts.grants.adopt);
  });
  add('link.status', '/v1/links/:secret', 'web', (tx, tenantId, request) =>
    readStatus(tx, tenantId, secretOf(request), parts),
  );
  add('link.choice', '/v1/choices/:secret', 'web', (tx, tenantId, request) =>
    readTapped(tx, tenantId, secretOf(request)),
  );
  app.get('/v1/turn', (request) =>
    parts.audited('turn.tools', request, async ({ caller }) => {
      requireReadCeiling('turn.tools', caller);
      if (caller.agent === null) return refuse('not_granted', { detail: 'no turn' });
      const { facts, tools } = await parts.turn(caller);
      const turn = facts.turn ?? refuse('turn_ended');
      return {
        turn: {
          id: turn.id,
          conversation_id: turn.conversation_id,
          ticket_id: turn.ticket_id,
          message_id: turn.message_id,
          agent_role: turn.agent_role,
        },
        sites: (facts.subject?.memberships ?? []).flatMap((m) => (m.site_id === null ? [] : [m.site_id])),
        tools: [...tools],
      };
    }),
  );
}

/**
 * The text of a message, if what it says is true now. It leaves with a grant that lets the gateway learn the number
 * of exactly this recipient, once.
 */
async function readRendered(
  tx: Tx,
  tenantId: string,
  id: string,
  parts: ServiceReadParts,
): Promise<JsonValue> {
  const found = await findOutbound(tx, tenantId, id);
  if (!found) return refuse('not_found');
  const { message } = found;
  if (message.state !== 'QUEUED') return refuse('superseded', { detail: 'not waiting to be sent' });
  if (!isStillTrue(found)) return refuse('superseded', { detail: 'no longer true' });
  const contactId = message.contact_id ?? refuse('superseded', { detail: 'nobody to send it to' });
  return {
    message_id: message.id,
    contact_id: contactId,
    channel: message.channel,
    text: textOf(found, parts),
    reveal_grant: parts.grants.reveal({
      tenantId,
      contactId,
      fields: ['phone'],
      purpose: 'delivery',
      ref: message.id,
      holder: 'gateway',
      correlationId: message.correlation_id,
    }),
  };
}

function textOf(found: MessageNow, parts: ServiceReadParts): string {
  const { message, ticket, approval } = found;
  const contactId = message.contact_id ?? '';
  const link = () => {
    if (found.link_expires_at === null) return null;
    if (message.template === ASKS_FOR_APPROVAL && approval) {
      const secret = linkSecret({ purpose: 'approval', contactId, objectId: approval.id }, parts.linkKey);
      return `${parts.identityPublicUrl}/approve/${secret}`;
    }
    if (found.has_choice_link) {
      const secret = linkSecret({ purpose: 'choice', contactId, objectId: message.id }, parts.linkKey);
      return `${parts.webPublicUrl}/c/${secret}`;
    }
    if (!ticket) return null;
    const secret = linkSecret({ purpose: 'status', contactId, objectId: ticket.id }, parts.linkKey);
    return `${parts.webPublicUrl}/s/${secret}`;
  };
  return renderText(message, { senderName: parts.senderName, link: link() });
}

async function readStepUp(
  tx: Tx,
  tenantId: string,
  secret: string,
  parts: ServiceReadParts,
): Promise<JsonValue> {
  const asked = await findLinkedAct(tx, tenantId, linkHash(secret));
  if (asked) {
    const isOver = asked.act.state === 'CONSUMED';
    const imported = isOver ? await listImported(tx, tenantId, asked.act.id) : [];
    return {
      ...presentAct(asked, tenantId, parts),
      imported: imported.map(({ contact_id, slug }) => ({ contact_id, slug })),
    };
  }
  const link = await findLink(tx, tenantId, 'approval', linkHash(secret));
  const found = link && (await findApproval(tx, tenantId, link.object_id));
  if (!link || !found) return refuse('not_found');
  const { approval } = found;
  const open = found.is_open;
  return {
    approval_id: approval.id,
    contact_id: link.contact_id,
    ticket_reference: found.ticket_reference,
    action: approval.action,
    action_digest: approval.action_digest,
    action_jws: parts.grants.action(approval),
    required: approval.proof_assurance,
    state: approval.state,
    expires_at: approval.expires_at,
    // What is over can be looked at, not acted on.
    step_up_grant: open ? parts.grants.stepUp(approval, link.contact_id, found.correlation_id) : null,
    reveal_grant: open
      ? parts.grants.reveal({
          tenantId,
          contactId: link.contact_id,
          fields: ['email'],
          purpose: 'code',
          ref: approval.id,
          holder: 'identity',
          correlationId: found.correlation_id,
        })
      : null,
  };
}

/** As an approval, for the member of staff whose link it is. */
function presentAct(found: ActNow, tenantId: string, parts: ServiceReadParts): Record<string, JsonValue> {
  const { act, staff_id: staffId, correlation_id: correlationId, is_open: open } = found;
  return {
    object: 'act',
    approval_id: act.id,
    contact_id: staffId,
    action: act.action,
    action_digest: act.action_digest,
    action_jws: parts.grants.action(act),
    required: act.proof_assurance,
    // Its link may live on.
    state: act.state === 'PENDING' && !open ? 'EXPIRED' : act.state,
    expires_at: act.expires_at,
    step_up_grant: open ? parts.grants.confirm(act, staffId, correlationId) : null,
    reveal_grant: open
      ? parts.grants.reveal({
          tenantId,
          contactId: staffId,
          fields: ['email'],
          purpose: 'code',
          ref: act.id,
          holder: 'identity',
          correlationId,
        })
      : null,
  };
}

async function readStatus(
  tx: Tx,
  tenantId: string,
  secret: string,
  parts: ServiceReadParts,
): Promise<JsonValue> {
  const link = await findLink(tx, tenantId, 'status', linkHash(secret));
  const found = link && (await findStatus(tx, tenantId, link));
  if (!found) return refuse('not_found');
  const { ticket } = found;
  return {
    ticket: {
      reference: ticket.reference,
      state: ticket.state,
      priority: ticket.priority,
      site_label: found.site_label,
      reported_at: ticket.reported_at,
      updated_at: ticket.updated_at,
    },
    // A report never hides what is not in it.
    waived: presentWaivers(
      { kind: 'contact', id: link.contact_id, approves: false },
      ticket,
      found.consents,
    ).map(({ key }) => key),
    messages: found.messages.map((message) => ({
      at: message.created_at,
      template: message.template,
      text: renderText(message, { senderName: parts.senderName, link: null }),
    })),
  };
}

/** What can be said by the link now, and what was: a time or none, on the clock of the site. */
async function readTapped(tx: Tx, tenantId: string, secret: string): Promise<JsonValue> {
  const found = (await findTapped(tx, tenantId, linkHash(secret))) ?? refuse('not_found');
  const { chosen, link, options, ticket, time_zone } = found;
  const words = (row: Pick<OptionRow, 'window_from' | 'window_to'>) =>
    windowWords(windowSlot(row, time_zone));
  const open = openAnswers(found, Date.parse(found.now));
  const agreed = link.is_used ? undefined : options.find((row) => row.confirmed_at !== null);
  return {
    ticket: { reference: ticket.reference, state: ticket.state },
    time_zone,
    options: open.options.map((row) => ({ id: row.id, words: words(row) })),
    other_time: open.otherTime,
    agreed: agreed === undefined ? null : words(agreed),
    chosen: chosen && { words: chosen.option && words(chosen.option) },
  };
}

function idOf(request: FastifyRequest): string {
  const { id } = request.params as { id: string };
  return isUuid(id) ? id : refuse('not_found', { detail: 'not an id' });
}

function secretOf(request: FastifyRequest): string {
  const { secret } = request.params as { secret: string };
  return LINK_SECRET.test(secret) ? secret : refuse('not_found', { detail: 'not a link' });
}
