import { type EvidencePhase, INCIDENT_DEFINITIONS, MAX_OPEN_UPLOADS } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { typeOf } from '../evidence-list.ts';
import { requireState, requireStateIn } from '../gate/state.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import type { EvidenceRow, TicketRow } from '../rows.ts';
import { type RuleContext, rule } from '../rule.ts';

/** Before triage, photos say what is wrong; they prove nothing about the work. */
const INTAKE_STATES = ['NEW', 'NEEDS_INFO'] as const;

interface PresignInput {
  readonly key: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly sha256: string;
}

/** Announces an upload of exactly these bytes. */
export const PRESIGN = rule<PresignInput>('evidence.presign', {
  guard: (context) => {
    requireOwnPhase(context);
    if (need(context.facts.open_uploads, 'open uploads') >= MAX_OPEN_UPLOADS) refuse('too_many_uploads');
  },
  run: (context) => {
    const { caller, facts, input, nowText, tools } = context;
    const before = ticketOf(context);
    const evidence: EvidenceRow = {
      tenant_id: caller.tenantId,
      id: tools.newId(),
      version: 1,
      state: 'PRESIGNED',
      ticket_id: before.id,
      visit_id: facts.visit?.id ?? null,
      key: input.key,
      phase: phaseOf(before, input.key),
      content_type: input.content_type,
      size_bytes: input.size_bytes,
      sha256: input.sha256,
      content_key: null,
      kept_sha256: null,
      kept_size_bytes: null,
      created_by_kind: caller.subject.kind,
      created_by_id: need(caller.subject.id, 'subject id'),
      created_at: nowText,
      finalized_at: null,
    };
    return {
      changes: { ticket: changedTicket(context, {}), evidence },
      details: {
        evidence_id: evidence.id,
        key: evidence.key,
        phase: evidence.phase,
        sha256: evidence.sha256,
      },
      result: { evidence_id: evidence.id, phase: evidence.phase, size_bytes: evidence.size_bytes },
    };
  },
});

/**
 * Takes the picture that lies in the store as evidence: the announced bytes, and of them what was drawn anew.
 * @invariant what counts is what was found in the store now, never what was announced
 * @source C.4, R.7
 */
export const FINALIZE = rule<{ readonly evidence_id: string }>('evidence.finalize', {
  guardsInput: true,
  guard: (context) => {
    requireOwnPhase(context);
    requireState('evidence', 'evidence.finalize', itemOf(context));
  },
  run: (context) => {
    const { facts, nowText } = context;
    const item = itemOf(context);
    const found = facts.observed_object;
    if (found === null || found === undefined) {
      return refuse('evidence_missing', { extra: { missing: [item.key] } });
    }
    const isAsAnnounced = found.sha256 === item.sha256 && found.size_bytes === item.size_bytes;
    if (!isAsAnnounced) refuse('evidence_mismatch');
    const { kept } = found;
    if (kept === null || found.unusable !== null) {
      return refuse('evidence_unusable', { extra: { reason: found.unusable } });
    }
    const evidence = changed(item, {
      state: 'FINALIZED',
      content_key: kept.content_key,
      kept_sha256: kept.sha256,
      kept_size_bytes: kept.size_bytes,
      finalized_at: nowText,
    });
    return {
      changes: { ticket: changedTicket(context, {}), evidence },
      details: {
        evidence_id: evidence.id,
        key: evidence.key,
        phase: evidence.phase,
        sha256: evidence.sha256,
        kept_sha256: evidence.kept_sha256,
      },
      result: { evidence_id: evidence.id },
    };
  },
});

/** The announced item; another ticket's, or another person's, does not exist. */
function itemOf({
  acting,
  caller,
  facts,
  input,
}: RuleContext<{ readonly evidence_id: string }>): EvidenceRow {
  const item = facts.evidence_item;
  const isOurs =
    item !== null &&
    item.tenant_id === caller.tenantId &&
    item.id === input.evidence_id &&
    item.ticket_id === facts.ticket?.id &&
    ((acting.kind === 'person' && acting.membership === 'tenant') ||
      (item.created_by_kind === caller.subject.kind && item.created_by_id === caller.subject.id));
  return isOurs ? item : refuse('not_found', { detail: 'evidence' });
}

/** A requester adds intake photos and no others. */
function requireOwnPhase(context: RuleContext): void {
  if (context.acting.kind === 'person' && context.acting.role === 'requester') {
    requireStateIn(context.facts.ticket, INTAKE_STATES);
  }
}

/** The phase is what the type says of the key, and `intake` while nobody works: a caller cannot choose it. */
function phaseOf(ticket: TicketRow, key: string): EvidencePhase {
  const isIntake = (INTAKE_STATES as readonly string[]).includes(ticket.state);
  const types = ticket.incident_type === null ? INCIDENT_DEFINITIONS : [typeOf(ticket)];
  const found = types
    .flatMap((type) => type.evidence)
    .find((rule) => rule.key === key && rule.kind === 'photo');
  if (found === undefined) return refuse('schema_mismatch', { extra: { fields: ['/key'] } });
  return isIntake ? 'intake' : found.phase;
}
