import {
  ACT_LIFETIME_MS,
  ACT_OF_TWO_LIFETIME_MS,
  type Assurance,
  assuranceRank,
  type StaffRole,
} from '@deadlatch/catalogue';
import { type JsonValue, refuse } from '@deadlatch/kernel';
import { isProvable } from './approval-terms.ts';
import type { ActRow, Confirmer, DirectoryFacts } from './directory-rows.ts';
import { later, need } from './need.ts';
import { type NamedRule, type Outcome, type RuleContext, rule } from './rule.ts';

/** What it takes to do an act: the table of proofs. */
export interface ActTerms {
  readonly assurance: Assurance;
  /** 1: whoever asked confirms. 2: two persons, each of whom holds one of `roles`. */
  readonly deciders: 1 | 2;
  readonly roles: readonly StaffRole[];
}

/** An act that more than a session is needed for. */
export interface AskedAct<Input = unknown> {
  /** null: a session is enough for this one. */
  readonly terms: (context: RuleContext<Input>) => ActTerms | null;
  /** The row that the act changes, as it is now; null where it makes one. */
  readonly target: (facts: DirectoryFacts) => { readonly id: string; readonly version: number } | null;
  /** Codes of places that rows of the input name by id, for the statement. */
  readonly places?: (context: RuleContext<Input>) => Readonly<Record<string, string>>;
  /** How long the asker's link answers what became of it; as long as the question unless told. */
  readonly linkLifetimeMs?: number;
  /** What is done once it is confirmed; refuses whatever could not be done now. Run when asked and at each yes. */
  readonly settle: (context: RuleContext<Input>) => Outcome;
}

/** A command whose sender only asks, and what becomes of it. */
export interface AskedCommand {
  readonly command: string;
  readonly act: AskedAct;
  readonly rule: NamedRule;
}

export function asked<Input>(command: string, act: AskedAct<Input>): AskedCommand {
  const plain = act as AskedAct;
  return { command, act: plain, rule: rule(command, { run: (context) => ask(context, plain) }) };
}

/** Everything that is asked, in full. Its RFC 8785 bytes are shown, signed and hashed. */
export interface ActAction {
  readonly act_id: string;
  readonly tenant_id: string;
  readonly command: string;
  readonly target: { readonly id: string; readonly version: number } | null;
  /** Codes of the places it is about, as people know them. */
  readonly account: string | null;
  readonly site: string | null;
  /** Where rows of the input name places: their codes by id. */
  readonly places?: Readonly<Record<string, string>>;
  readonly input: JsonValue;
  readonly asked_by: string;
  readonly proof: { readonly assurance: Assurance; readonly deciders: number };
  readonly policy_bundle: string;
  readonly expires_at: string;
}

/**
 * Stores what is asked, with its digest, and a link for everybody who can confirm it.
 * @throws DispatchError `assurance_required` for what needs a passkey: there are none, so nobody could confirm it;
 *   `not_eligible` when there are too few persons who could
 * @invariant what would be refused when confirmed is refused now
 * @source T3.11
 */
function ask(context: RuleContext, act: AskedAct): Outcome {
  const terms = act.terms(context);
  if (terms !== null && !isProvable(terms.assurance)) {
    refuse('assurance_required', { extra: { required: terms.assurance } });
  }
  const settled = act.settle(context);
  if (terms === null) return settled;
  const row = rowOf(context, act, terms);
  const who = eligibleFor(terms, directoryOf(context).confirmers, row.asked_by);
  if (new Set(who.map((c) => c.person_id)).size < terms.deciders) {
    refuse('not_eligible', { detail: 'too few persons could confirm it' });
  }
  const linksEnd = act.linkLifetimeMs === undefined ? row.expires_at : later(context, act.linkLifetimeMs);
  return {
    changes: {
      act: row,
      act_links: who.map(({ staff_id }) => ({ act_id: row.id, staff_id, expires_at: linksEnd })),
    },
    details: {
      act_id: row.id,
      action_digest: row.action_digest,
      proof: row.proof_assurance,
      deciders: row.deciders,
    },
    result: {
      act_id: row.id,
      action_digest: row.action_digest,
      proof: row.proof_assurance,
      deciders: row.deciders,
      expires_at: row.expires_at,
    },
  };
}

function rowOf(context: RuleContext, act: AskedAct, terms: ActTerms): ActRow {
  const { caller, entry, facts, input, nowText, targetId, tools } = context;
  const asker = need(facts.subject, 'subject');
  const directory = directoryOf(context);
  const target = act.target(directory);
  const action: ActAction = {
    act_id: tools.newId(),
    tenant_id: caller.tenantId,
    command: entry.name,
    target: targetId === null || target === null ? null : { id: targetId, version: target.version },
    account: directory.account?.slug ?? null,
    site: directory.site?.slug ?? null,
    ...(act.places !== undefined && { places: act.places(context) }),
    input: plainJson(input),
    asked_by: asker.id,
    proof: { assurance: terms.assurance, deciders: terms.deciders },
    policy_bundle: tools.policy.bundleHash,
    expires_at: later(context, terms.deciders === 2 ? ACT_OF_TWO_LIFETIME_MS : ACT_LIFETIME_MS),
  };
  const text = tools.canonicalJson(plainJson(action));
  return {
    tenant_id: caller.tenantId,
    id: action.act_id,
    version: 1,
    state: 'PENDING',
    command: entry.name,
    target_id: targetId,
    input: input as ActRow['input'],
    action: text,
    action_digest: tools.sha256Base64Url(text),
    asked_by: asker.id,
    proof_assurance: terms.assurance,
    deciders: terms.deciders,
    asked_at: nowText,
    expires_at: action.expires_at,
    decided_at: null,
  };
}

/** Who can confirm: whoever asked, or everybody who holds a role that counts. */
export function eligibleFor(
  terms: ActTerms,
  confirmers: readonly Confirmer[],
  askedBy: string,
): readonly Confirmer[] {
  return confirmers.filter((c) =>
    terms.deciders === 1 ? c.staff_id === askedBy : terms.roles.some((role) => c.roles.includes(role)),
  );
}

/**
 * What was asked, read back from the bytes that were signed, and proven to be what the row says.
 * @throws DispatchError `digest_mismatch` when row and bytes disagree in anything
 * @invariant the bytes are compared whole: a member that is not in the row cannot be in the bytes unseen
 */
export function readAction(context: RuleContext, act: ActRow): ActAction {
  const { tools } = context;
  if (tools.sha256Base64Url(act.action) !== act.action_digest) refuse('digest_mismatch');
  const action = JSON.parse(act.action) as ActAction;
  const isSame =
    action.act_id === act.id &&
    action.tenant_id === act.tenant_id &&
    action.command === act.command &&
    (action.target?.id ?? null) === act.target_id &&
    action.asked_by === act.asked_by &&
    action.expires_at === act.expires_at &&
    action.proof.assurance === act.proof_assurance &&
    action.proof.deciders === act.deciders &&
    tools.canonicalJson(action.input) === tools.canonicalJson(plainJson(act.input));
  return isSame ? action : refuse('digest_mismatch', { detail: 'row and bytes disagree' });
}

/** At least a code, whatever the row says; what cannot be read counts as a passkey. */
export function proofOf(act: ActRow | null): Assurance {
  const level = act?.proof_assurance ?? 'L3';
  return assuranceRank(level) < 2 ? 'L3' : level;
}

export function directoryOf(context: RuleContext): DirectoryFacts {
  return need(context.facts.directory, 'directory');
}

function plainJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
