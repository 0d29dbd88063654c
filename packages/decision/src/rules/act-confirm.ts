import { findCommand } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { type ActTerms, type AskedCommand, directoryOf, eligibleFor, proofOf, readAction } from '../act.ts';
import { isProvable } from '../approval-terms.ts';
import type { ActRow } from '../directory-rows.ts';
import { changed, need } from '../need.ts';
import { type Outcome, type RuleContext, rule } from '../rule.ts';
import {
  CONTACT_ADD,
  CONTACT_CHANGE,
  CONTACT_DEACTIVATE,
  CONTACT_RESET,
  CONTACT_SET_LIMIT,
} from './contact.ts';
import { CONTACT_IMPORT } from './contact-import.ts';
import { ACCOUNT_CHANGE } from './directory.ts';

/** Every command that can be asked for and confirmed. */
export const ASKED_COMMANDS: readonly AskedCommand[] = [
  ACCOUNT_CHANGE,
  CONTACT_ADD,
  CONTACT_IMPORT,
  CONTACT_CHANGE,
  CONTACT_DEACTIVATE,
  CONTACT_RESET,
  CONTACT_SET_LIMIT,
];

const BY_COMMAND: ReadonlyMap<string, AskedCommand> = new Map(ASKED_COMMANDS.map((c) => [c.command, c]));

interface Input {
  readonly decision: 'CONFIRM' | 'DECLINE';
  readonly action_digest: string;
}

/**
 * An act of authority is done here: what was asked is decided again, by the facts of now, and applied with the last
 * yes that it needs.
 * @invariant the digest of the token, of the body and of the row are one; the row's digest is that of its bytes, and
 *   its columns say what the bytes say
 * @invariant each yes is another person's, and counts only while that person still holds a role that may say it
 * @invariant whatever changed since it was asked (the row it is about, the proof it needs) makes it void
 * @source T3.4, T3.5, T3.11
 */
export const ACT_CONFIRM = rule<Input>('act.confirm', {
  guard: (context) => {
    if (!(context.now < Date.parse(actOf(context).expires_at))) {
      refuse('invalid_state', { extra: { from_state: 'EXPIRED', allowed_from: ['PENDING'] } });
    }
  },
  proof: (context) => proofOf(directoryOf(context).act),
  run: (context) => {
    const act = actOf(context);
    const { caller, input } = context;
    const { actionDigest } = caller.context;
    if (actionDigest === null || actionDigest !== act.action_digest || input.action_digest !== actionDigest) {
      refuse('digest_mismatch');
    }
    const inner = innerContext(context, act);
    const { command, terms } = decideAgain(inner, act);
    const yes = requireConfirmer(context, act, terms);
    const details = { act_id: act.id, act_command: act.command, action_digest: act.action_digest };
    if (input.decision !== 'CONFIRM') {
      return ended(context, act, 'DENIED', { changes: {} }, details);
    }
    // Asked at every yes, so that nobody says yes to what could not be done.
    const settled = command.act.settle(inner);
    const confirmation = {
      act_id: act.id,
      person_id: yes.person,
      staff_id: need(caller.subject.id, 'member of staff'),
    };
    if (yes.before + 1 < act.deciders) {
      return ended(context, act, 'PENDING', { changes: { act_confirmation: confirmation } }, details);
    }
    const changes = { ...settled.changes, act_confirmation: confirmation };
    return ended(context, act, 'CONSUMED', { ...settled, changes }, details);
  },
});

function actOf(context: RuleContext): ActRow {
  return need(directoryOf(context).act, 'act');
}

/** The command as it was asked; what is stored is held against its schema again. */
function innerContext(context: RuleContext, act: ActRow): RuleContext {
  const entry = findCommand(act.command) ?? refuse('unknown_command');
  const fields = context.tools.validateInput(entry, false, act.input);
  if (!Array.isArray(fields) || fields.length > 0) refuse('schema_mismatch', { detail: 'as it was asked' });
  return { ...context, entry, targetId: act.target_id, input: act.input };
}

function decideAgain(
  inner: RuleContext,
  act: ActRow,
): { readonly command: AskedCommand; readonly terms: ActTerms } {
  const command = BY_COMMAND.get(act.command) ?? refuse('unknown_command', { detail: 'not asked for' });
  const action = readAction(inner, act);
  const directory = directoryOf(inner);
  const target = command.act.target(directory);
  if (action.target?.id !== target?.id || action.target?.version !== target?.version) {
    refuse('superseded', { detail: 'what it is about has changed' });
  }
  const terms = command.act.terms(inner);
  if (terms === null || !isProvable(terms.assurance) || !isProvable(act.proof_assurance)) {
    return refuse('assurance_required', { extra: { required: terms?.assurance ?? 'L3' } });
  }
  if (terms.assurance !== act.proof_assurance || terms.deciders !== act.deciders) {
    refuse('superseded', { detail: 'it needs another proof now' });
  }
  const asker = directory.confirmers.find((c) => c.staff_id === act.asked_by);
  const mayAsk = inner.entry.who.some(({ role }) => asker?.roles.includes(role) === true);
  if (!mayAsk) refuse('not_granted', { detail: 'whoever asked may not ask any more' });
  return { command, terms };
}

/** @returns the person, and how many others have said yes and still may */
function requireConfirmer(
  { caller, facts }: RuleContext,
  act: ActRow,
  terms: ActTerms,
): { readonly person: string; readonly before: number } {
  const directory = need(facts.directory, 'directory');
  const eligible = eligibleFor(terms, directory.confirmers, act.asked_by);
  const me = eligible.find((c) => c.staff_id === caller.subject.id);
  const { person_id: person } = need(facts.subject, 'subject');
  if (me === undefined || me.person_id !== person)
    return refuse('not_granted', { detail: 'not one who confirms' });
  if (directory.confirmed_by.includes(person)) refuse('separation_of_duty', { detail: 'said so already' });
  const before = new Set(directory.confirmed_by.filter((p) => eligible.some((c) => c.person_id === p))).size;
  return { person, before };
}

function ended(
  context: RuleContext,
  act: ActRow,
  state: ActRow['state'],
  settled: Outcome,
  details: Readonly<Record<string, string>>,
): Outcome {
  const row = changed(act, { state, decided_at: state === 'PENDING' ? null : context.nowText });
  return {
    changes: { ...settled.changes, act: row },
    details: { ...settled.details, ...details, act_state: state },
    result: { ...settled.result, act_id: act.id, state },
  };
}
