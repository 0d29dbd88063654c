import {
  type ApprovalKind,
  type Assurance,
  assuranceRank,
  COOLING_OFF_MS,
  REPEAT_WINDOW_MS,
  SMALL_INCREASE_CENTS,
  SMALL_INCREASE_RATIO,
  TWO_DECIDERS_ABOVE_CENTS,
} from '@deadlatch/catalogue';
import { addCents, refuse } from '@deadlatch/kernel';
import type { ApproverFacts } from './facts.ts';
import type { ApprovalRow, TicketRow } from './rows.ts';

export interface ProofNeeded {
  readonly assurance: Assurance;
  readonly deciders: 1 | 2;
}

/**
 * What has been released on this ticket so far, by anybody, over any channel.
 * The larger of what the approvals say and what the NTE shows: an approval that is not in the list still counts.
 */
export function releasedCents(ticket: TicketRow, approvals: readonly ApprovalRow[]): number {
  const consumed = approvals.filter((a) => a.state === 'CONSUMED').map((a) => a.amount_cents);
  return Math.max(addCents(0, ...consumed), ticket.nte_cents - ticket.base_nte_cents);
}

/**
 * The table of proofs, for what a contact may decide.
 * Small increases (cumulative, at most $250 and half of the first NTE) need a code; everything else a passkey;
 * another request within the hour one step more; above $5,000 two people.
 * @param releasedBefore from `releasedCents`
 */
export function proofNeeded(asked: {
  readonly kind: ApprovalKind;
  readonly amountCents: number;
  readonly releasedBefore: number;
  readonly baseNteCents: number;
  readonly earlier: readonly Pick<ApprovalRow, 'requested_at'>[];
  readonly now: number;
}): ProofNeeded {
  const cumulative = addCents(asked.releasedBefore, asked.amountCents);
  const isSmall =
    asked.kind === 'NTE_INCREASE' &&
    cumulative <= SMALL_INCREASE_CENTS &&
    cumulative <= asked.baseNteCents * SMALL_INCREASE_RATIO;
  // An instant that does not parse counts as just now.
  const isRepeated = asked.earlier.some((a) => !(asked.now - Date.parse(a.requested_at) >= REPEAT_WINDOW_MS));
  const step = (isSmall ? 2 : 3) + (isRepeated ? 1 : 0);
  return {
    assurance: step === 2 ? 'L2' : 'L3',
    deciders: step > 3 || cumulative > TWO_DECIDERS_ABOVE_CENTS ? 2 : 1,
  };
}

/** Whether a right that was changed at `changedAt` has been on file long enough to release money. */
export function isSettled(changedAt: string, now: number): boolean {
  return now - Date.parse(changedAt) >= COOLING_OFF_MS;
}

/**
 * Who is asked first: the smallest limit that covers, so that large limits are asked rarely.
 * @param cumulativeCents released before plus what is asked
 * @param excluded persons who opened the ticket, ask or work on it, however many contacts they are
 * @throws DispatchError `limit_exceeded` when nobody is left: an empty list of approvers approves nothing
 * @source T3.5
 */
export function chooseDecider(
  approvers: readonly ApproverFacts[],
  cumulativeCents: number,
  excluded: readonly string[],
  now: number,
): ApproverFacts {
  const able = approvers
    .filter((a) => a.approval_limit_cents >= cumulativeCents && isSettled(a.changed_at, now))
    .filter((a) => !excluded.includes(a.person_id))
    .sort(
      (a, b) => a.approval_limit_cents - b.approval_limit_cents || (a.contact_id < b.contact_id ? -1 : 1),
    );
  return able[0] ?? refuse('limit_exceeded');
}

/** Whether `level` is one that this release can prove on its own. */
export function isProvable(level: Assurance): boolean {
  const rank = assuranceRank(level);
  return rank >= 0 && rank <= assuranceRank('L2');
}
