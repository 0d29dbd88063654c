import {
  APPROVAL_STATES,
  type ApprovalState,
  ASSURANCES,
  type Assurance,
  assuranceRank,
  spiffeId,
} from '@deadlatch/catalogue';
import { type Clock, DispatchError, isUuid, type JsonValue, refuse } from '@deadlatch/kernel';
import { actionDigest, type StepUpGrant, type TimedKey, verifyGrant } from '@deadlatch/signing';
import { type ActView, describeAct } from './describe-act.ts';
import { type ActionView, describeAction } from './describe-action.ts';

/** Somebody whom an act put on file with others, by what their account calls them. */
export interface Imported {
  readonly contactId: string;
  readonly slug: string;
}

/** An approval of a contact, or an act of a member of staff: what a second factor is shown for. */
export type StepUpObject = 'approval' | 'act';

/** An approval or an act as dispatch-api stated it, with everything that identity can check checked. */
export interface ProvenStepUp {
  readonly object: StepUpObject;
  readonly approvalId: string;
  /** Who may decide it: for an act the member of staff. */
  readonly contactId: string;
  /** The canonical JSON that was signed. */
  readonly action: string;
  readonly actionDigest: string;
  readonly view: ActionView | ActView;
  readonly required: Assurance;
  readonly grant: StepUpGrant;
  /** Handed on to the vault unread: it is the vault's to verify. */
  readonly revealGrant: string;
}

/** Open for a decision, or over; nothing of an approval that is over is shown, so nothing of it is proven. */
export type StepUp =
  | { readonly kind: 'open'; readonly proven: ProvenStepUp }
  | {
      readonly kind: 'over';
      readonly state: Exclude<ApprovalState, 'PENDING'>;
      /** Whom it put on file together; their data may still have to be kept. */
      readonly imported: readonly Imported[];
    };

export type ProveStepUp = (answer: JsonValue) => StepUp;

/**
 * Proves that what dispatch-api answered is what dispatch-api signed.
 * @param grantKeys the keys that sign grants and action statements; pinned, never taken from the answer
 * @returns a function of the parsed answer of `GET /v1/step-ups/:secret`
 * @throws DispatchError `digest_mismatch` when the digest is not the SHA-256 of the statement, when statement or
 *   grant is not signed by that key, or when grant and answer speak of different things
 * @invariant nothing of the answer is shown or used before this returned
 * @source T3.4, T4.8
 */
export function createStepUpProver(options: {
  readonly grantKeys: () => readonly TimedKey[];
  readonly environment: string;
  readonly tenantId: string;
  readonly now: Clock;
}): ProveStepUp {
  const issuer = spiffeId(options.environment, 'dispatch-api');
  const audience = spiffeId(options.environment, 'identity');
  return (answer) => {
    const state = readState(answer);
    if (state !== 'PENDING') return { kind: 'over', state, imported: readImported(answer) };
    const fields = readAnswer(answer);
    const view = fields.object === 'act' ? describeAct(fields.action) : describeAction(fields.action);
    if (Date.parse(view.expiresAt) <= options.now()) return { kind: 'over', state: 'EXPIRED', imported: [] };
    const digest = actionDigest(fields.action);
    if (digest !== fields.action_digest) mismatch('digest is not of this statement');
    const check = { keys: options.grantKeys(), issuer, audience, now: options.now() };
    const statement = verified(() => verifyGrant('action', fields.action_jws, check));
    const grant = verified(() => verifyGrant('step-up', fields.step_up_grant, check));
    const agrees =
      statement.action_digest === digest &&
      statement.approval === fields.approval_id &&
      statement.tenant === options.tenantId &&
      grant.tenant === options.tenantId &&
      (grant.object ?? 'approval') === fields.object &&
      grant.approval === fields.approval_id &&
      grant.contact === fields.contact_id &&
      grant.action_digest === digest &&
      grant.level === fields.required;
    if (!agrees) mismatch('statement, grant and answer differ');
    return {
      kind: 'open',
      proven: {
        object: fields.object,
        approvalId: fields.approval_id,
        contactId: fields.contact_id,
        action: fields.action,
        actionDigest: digest,
        view,
        required: fields.required,
        grant,
        revealGrant: fields.reveal_grant,
      },
    };
  };
}

interface StepUpAnswer {
  readonly object: StepUpObject;
  readonly approval_id: string;
  readonly contact_id: string;
  readonly action: string;
  readonly action_digest: string;
  readonly action_jws: string;
  readonly required: Assurance;
  readonly step_up_grant: string;
  readonly reveal_grant: string;
}

function readState(answer: JsonValue): ApprovalState {
  const given = members(answer).get('state');
  return APPROVAL_STATES.find((known) => known === given) ?? mismatch('unknown state');
}

function readImported(answer: JsonValue): readonly Imported[] {
  const listed = members(answer).get('imported') ?? [];
  if (!Array.isArray(listed)) return mismatch('imported');
  return (listed as readonly JsonValue[]).map((entry) => {
    const contact = members(entry);
    const [contactId, slug] = [contact.get('contact_id'), contact.get('slug')];
    if (typeof contactId !== 'string' || !isUuid(contactId) || typeof slug !== 'string')
      return mismatch('imported');
    return { contactId, slug };
  });
}

function members(answer: JsonValue): ReadonlyMap<string, JsonValue> {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    return mismatch('not an object');
  return new Map(Object.entries(answer));
}

function readAnswer(answer: JsonValue): StepUpAnswer {
  const fields = members(answer);
  const text = (name: string): string => {
    const value = fields.get(name);
    return typeof value === 'string' && value !== '' ? value : mismatch(`answer lacks ${name}`);
  };
  const id = (name: string): string => {
    const value = text(name);
    return isUuid(value) ? value : mismatch(`${name} is not an id`);
  };
  const required = ASSURANCES.find((level) => level === text('required'));
  const object = fields.get('object') ?? 'approval';
  if (object !== 'approval' && object !== 'act') return mismatch('unknown object');
  return {
    object,
    approval_id: id('approval_id'),
    contact_id: id('contact_id'),
    action: text('action'),
    action_digest: text('action_digest'),
    action_jws: text('action_jws'),
    required: required ?? mismatch('unknown assurance'),
    step_up_grant: text('step_up_grant'),
    reveal_grant: text('reveal_grant'),
  };
}

function verified<T>(verify: () => T): T {
  try {
    return verify();
  } catch (cause) {
    if (cause instanceof DispatchError) return mismatch('signature', cause);
    throw cause;
  }
}

function mismatch(detail: string, cause?: unknown): never {
  return refuse('digest_mismatch', { detail: `step-up: ${detail}`, cause });
}

/** The subject of the ceremony, as audit and tokens name them. */
export function subjectKindOf({ object }: ProvenStepUp): 'contact' | 'staff' {
  return object === 'act' ? 'staff' : 'contact';
}

/**
 * The ceremony that identity can run is link plus code: L2. What needs more is not decided here.
 * @throws DispatchError `assurance_required`
 */
export function assertSettledByCode(stepUp: ProvenStepUp): void {
  if (assuranceRank(stepUp.required) > assuranceRank('L2')) {
    refuse('assurance_required', { detail: 'a passkey is needed' });
  }
}
