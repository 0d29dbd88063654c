import { type CommandEntry, MAX_IMPORTED_CONTACTS } from '@deadlatch/catalogue';
import type { Accepted, Changes, Facts, Suggested } from '@deadlatch/decision';
import { isUuid, type JsonValue } from '@deadlatch/kernel';
import type { CommitDecisionInput, ReadFactsInput } from '@deadlatch/postgres';
import type { GrantIssuer } from '../grants/issue-grants.ts';
import { actSecret, LINK_SECRET, linkHash, linkSecret } from '../link-secrets.ts';
import { actorName, type CommandCall, nonceOf } from './call.ts';
import type { Proven } from './caller.ts';

/** Keys that turn decided drafts into rows: link secrets and turn grants are made here, never in the decision. */
export interface CommitSecrets {
  readonly linkKey: Uint8Array;
  readonly grants: GrantIssuer;
  readonly newId: () => string;
}

export interface DecidedCall {
  readonly proven: Proven;
  readonly call: CommandCall;
  readonly facts: Facts;
  readonly decision: Accepted | Suggested;
  readonly eventId: string;
  readonly eventBody: string;
  /** What the outbox's rows go on with. */
  readonly traceparent: string | null;
}

/** What `dispatch.read_facts` is asked: everything the catalogue entry needs, in one round trip. */
export function factsQuery(
  entry: CommandEntry | undefined,
  proven: Proven,
  call: CommandCall,
): ReadFactsInput {
  const { caller } = proven;
  return {
    tenant_id: caller.tenantId,
    command: call.command,
    target: entry?.target ?? 'none',
    // What is no id names no row: the gate answers as for any unknown one.
    target_id: call.targetId !== null && isUuid(call.targetId) ? call.targetId : null,
    needs: entry ? [...entry.needs] : [],
    subject: caller.subject,
    service: caller.service,
    turn_id: caller.agent?.turnId ?? null,
    conversation_id: caller.context.conversationId,
    idempotency: idempotencyScope(proven, call),
    refs: references(entry, call),
  };
}

/**
 * Ids in the input that name rows to be read. What has not their form is left to the schema check.
 * @invariant a field that the command does not have names nothing: a ticket or an account is the path's or the turn's
 */
function references(entry: CommandEntry | undefined, call: CommandCall): ReadFactsInput['refs'] {
  const { input } = call;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return {};
  const own = new Set([entry?.input, entry?.agentInput].flatMap(fieldsOf));
  const textAt = (name: string) => {
    const value = own.has(name) && Object.hasOwn(input, name) ? input[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  const found: { -readonly [Name in keyof ReadFactsInput['refs']]: ReadFactsInput['refs'][Name] } = {};
  for (const name of ID_FIELDS) {
    const value = textAt(name);
    if (value !== undefined && isUuid(value)) found[name] = value;
  }
  for (const name of WORD_FIELDS) {
    const value = textAt(name);
    if (value !== undefined && value.length <= 200) found[name] = value;
  }
  // Only the hash of a secret leaves this process.
  const secret = entry?.needs.includes('tapped_link') ? textAt('link') : undefined;
  if (secret !== undefined && LINK_SECRET.test(secret)) found.link_hash = linkHash(secret);
  const scope = textAt('scope');
  const scopeId = textAt('scope_id');
  if ((scope === 'account' || scope === 'ticket') && scopeId !== undefined && isUuid(scopeId)) {
    found[`${scope}_id`] = scopeId;
  }
  const rows = own.has('contacts') && Object.hasOwn(input, 'contacts') ? input.contacts : undefined;
  return Array.isArray(rows) ? { ...found, contacts: batchRefs(rows) } : found;
}

/** Of rows beyond what an act may have none is looked up: the schema refuses them all. */
function batchRefs(rows: readonly JsonValue[]): NonNullable<ReadFactsInput['refs']['contacts']> {
  return rows.slice(0, MAX_IMPORTED_CONTACTS).flatMap((row) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return [];
    const { slug, site_id: site } = row;
    if (typeof slug !== 'string' || slug.length > 60) return [];
    return [{ slug, ...(typeof site === 'string' && isUuid(site) && { site_id: site }) }];
  });
}

/** Names of an object schema's members. */
function fieldsOf(schema: object | null | undefined): string[] {
  const { properties } = (schema ?? {}) as { readonly properties?: object };
  return Object.keys(properties ?? {});
}

const ID_FIELDS = [
  'ticket_id',
  'survivor_id',
  'site_id',
  'technician_id',
  'evidence_id',
  'contact_id',
  'account_id',
] as const;
const WORD_FIELDS = ['provider_id', 'channel', 'sender_hash', 'slug', 'type', 'template'] as const;

function idempotencyScope(proven: Proven, call: CommandCall) {
  const key = proven.request.idempotencyKey;
  if (key === null) return null;
  const { caller } = proven;
  return {
    service: caller.service,
    subject: actorName(caller),
    command: call.command,
    path: call.concretePath,
    key,
  };
}

/** Links of an act with what the database keeps of their secrets. */
function hashed(links: NonNullable<Changes['act_links']>, key: Uint8Array) {
  return links.map((link) => ({ ...link, hash: linkHash(actSecret(link.staff_id, link.act_id, key)) }));
}

/** The one argument of `dispatch.commit_decision`. */
export function commitDecisionPayload(decided: DecidedCall, secrets: CommitSecrets): CommitDecisionInput {
  const { proven, call, facts, decision, eventId, eventBody, traceparent } = decided;
  const { caller, request, tokenId } = proven;
  const scope = idempotencyScope(proven, call);
  const { links, act_links: actLinks, ...others } = decision.changes;
  const changes =
    actLinks === undefined ? others : { ...others, act_links: hashed(actLinks, secrets.linkKey) };
  return {
    tenant_id: caller.tenantId,
    nonce: nonceOf(proven),
    idempotency: scope && {
      ...scope,
      fingerprint: call.fingerprint,
      answer: { ...decision.answer, event_id: eventId, correlation_id: caller.context.correlationId },
    },
    event: {
      id: eventId,
      body: eventBody,
      command: call.command,
      actor: actorName(caller),
      decision: 'accepted',
      correlation_id: caller.context.correlationId,
      ticket_id: changes.ticket?.id ?? facts.ticket?.id ?? null,
    },
    effects: decision.event.effects,
    changes,
    outbox: decision.outbox.map((row) => ({
      id: secrets.newId(),
      ...row,
      payload: {
        ...(traceparent !== null && { traceparent }),
        ...(row.kind === 'agent.wake' &&
          changes.turn && {
            turn_grant: secrets.grants.turn(changes.turn, caller.context.correlationId, traceparent),
          }),
      },
    })),
    links: (links ?? []).map((link) => ({
      ...link,
      hash: linkHash(
        linkSecret(
          { purpose: link.purpose, contactId: link.contact_id, objectId: link.object_id },
          secrets.linkKey,
        ),
      ),
    })),
    authority: facts.account
      ? { account_id: facts.account.id, version: facts.account.authority_version }
      : null,
    autonomy_version: caller.agent ? facts.tenant.autonomy_version : null,
    turn_id: caller.agent?.turnId ?? null,
    consume_token: caller.context.actionDigest === null ? null : (tokenId ?? request.nonce),
  };
}
