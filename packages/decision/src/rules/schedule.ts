import type { DELAY_OWNERS } from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import { type Confirming, confirmHold } from '@deadlatch/scheduling';
import { confirmAs, withChoiceLink } from '../draft-message.ts';
import { requireState } from '../gate/state.ts';
import { changed, changedTicket, need, ticketOf } from '../need.ts';
import { agreedOption, choiceOfTurn, newOptions, openOptions, refuseHold, toHold } from '../options.ts';
import { type RuleContext, rule } from '../rule.ts';
import type { ChoiceRow } from '../schedule-facts.ts';
import { windowSlot } from '../window-words.ts';

type DelayOwner = (typeof DELAY_OWNERS)[number];

interface OnChoice {
  readonly choice_id: string;
}

/** Options come from the engine; a proposal is all of them, held until the same moment. */
export const PROPOSE = rule<Record<string, never>>('schedule.propose', {
  run: (context) => {
    const options = newOptions(context);
    const ticket = changedTicket(context, { state: 'SCHEDULE_PROPOSED' });
    const ends = options.map((row) => Date.parse(row.held_until));
    const over = new Date(Math.max(...ends)).toISOString();
    const timeZone = need(context.facts.site, 'site').time_zone;
    return {
      changes: {
        ticket,
        options,
        timers: [
          {
            id: context.tools.newId(),
            kind: 'schedule.release',
            target_id: ticket.id,
            due_at: over,
          },
        ],
        ...withChoiceLink(
          confirmAs(
            context,
            ticket,
            'M05',
            { kind: 'option', option_id: options[0]?.id ?? '', states: ['SCHEDULE_PROPOSED'] },
            { windows: options.map((row) => windowSlot(row, timeZone)) },
          ),
          over,
        ),
      },
      details: { option_ids: options.map((row) => row.id), held_until: options[0]?.held_until ?? null },
      result: { option_ids: options.map((row) => row.id) },
    };
  },
});

/** The hold of what is chosen becomes firm in the commit that agrees it; the others are free in the same one. */
export const CONFIRM = rule<{ readonly option_id: string } | OnChoice>('schedule.confirm', {
  run: (context) => {
    const { facts, now } = context;
    const schedule = need(facts.schedule, 'schedule');
    const choice = citedChoice(context, 'OPTION');
    const asked = { ticket_id: ticketOf(context).id, option_id: optionIdOf(context, choice) };
    const holds = schedule.options.filter((row) => row.confirmed_at === null).map(toHold);
    const answer = confirmHold(holds, asked, confirming(context, choice), now);
    if ('refused' in answer) return refuseHold(answer.refused);
    const option = need(
      schedule.options.find((row) => row.id === answer.confirmed.option_id),
      'option',
    );
    const ticket = changedTicket(context, { state: 'SCHEDULED' });
    return {
      changes: {
        ticket,
        confirm_option: option.id,
        ...(choice === null ? {} : { consume_choice: choice.id }),
        ...withChoiceLink(
          confirmAs(
            context,
            ticket,
            'M06',
            { kind: 'option', option_id: option.id, states: ['SCHEDULED', 'DISPATCHED', 'ON_SITE'] },
            { window: windowSlot(option, need(facts.site, 'site').time_zone) },
          ),
          option.window_to,
        ),
      },
      details: {
        option_id: option.id,
        technician_id: option.technician_id,
        window_from: option.window_from,
        window_to: option.window_to,
        choice_id: choice?.id ?? null,
      },
      result: { option_id: option.id },
    };
  },
});

function optionIdOf(
  { input }: RuleContext<{ readonly option_id: string } | OnChoice>,
  choice: ChoiceRow | null,
): string {
  if (choice !== null) return choice.option_id ?? '';
  return 'option_id' in input ? input.option_id : '';
}

function confirming({ acting, caller }: RuleContext, choice: ChoiceRow | null): Confirming {
  if (acting.kind === 'agent') {
    if (choice?.option_id == null) return { as: 'agent', choice: null };
    const { contact_id, consumed_at, made_at, option_id } = choice;
    return {
      as: 'agent',
      choice: { option_id, contact_id, made_at: Date.parse(made_at), is_consumed: consumed_at !== null },
    };
  }
  if (acting.kind === 'person' && acting.role === 'dispatcher') return { as: 'dispatcher' };
  return { as: 'requester', contact_id: need(caller.subject.id, 'subject id') };
}

/**
 * The choice that an agent cites; null for people, who cite none.
 * @throws DispatchError `not_found` for one that is not of this turn's own message and ticket, or of another kind
 * @source T1.10
 */
function citedChoice(context: RuleContext, kind: ChoiceRow['kind']): ChoiceRow | null {
  const { acting, input } = context;
  if (acting.kind !== 'agent') return null;
  const choice = choiceOfTurn(context);
  const isCited = choice !== null && choice.id === (input as OnChoice).choice_id;
  const isMeant = isCited && choice.kind === kind && choice.ticket_id === ticketOf(context).id;
  return isMeant ? choice : refuse('not_found', { detail: 'no such choice in this turn' });
}

/** Takes an offer back. A timer may only say that time is up, and it is asked again here. */
export const RELEASE = rule<Record<string, never>>('schedule.release', {
  run: (context) => {
    const { acting, facts, now } = context;
    const schedule = need(facts.schedule, 'schedule');
    const isTimer = acting.kind === 'service';
    // A newer offer has a timer of its own: this one is of an offer that was taken back.
    if (isTimer && openOptions(schedule.options, now).length > 0)
      refuse('superseded', { detail: 'still held' });
    const ticket = changedTicket(context, { state: 'READY_TO_SCHEDULE' });
    const isOther = acting.kind === 'agent' && choiceOfTurn(context)?.kind === 'OTHER_TIME';
    const task = isTimer ? 'times_unanswered' : isOther ? 'other_times_wanted' : null;
    return {
      changes: { ticket, ...(task === null ? {} : { tasks: [{ kind: task, ticket_id: ticket.id }] }) },
      details: { option_ids: schedule.options.map((row) => row.id), expired: isTimer },
    };
  },
});

/** Not once somebody is on the way: then only a person on the phone can turn them round. */
export const RESCHEDULE = rule<{ readonly owner?: DelayOwner } | OnChoice>('schedule.reschedule', {
  guard: ({ facts }) => {
    if (facts.visit !== null) requireState('visit', 'schedule.reschedule', facts.visit);
  },
  run: (context) => {
    const { facts } = context;
    const choice = rescheduleChoice(context);
    const owner = ownerOfDelay(context);
    const ticket = changedTicket(context, { state: 'READY_TO_SCHEDULE' });
    const { visit } = facts;
    return {
      changes: {
        ticket,
        ...(visit === null
          ? {}
          : {
              visit: changed(visit, { state: 'CANCELLED' }),
              release_booking_of: visit.id,
              tasks: [{ kind: 'technician_to_tell', ticket_id: ticket.id }],
            }),
        ...(choice === null ? {} : { consume_choice: choice.id }),
      },
      details: {
        owner,
        option_id: agreedOption(context)?.id ?? null,
        visit_id: visit?.id ?? null,
        choice_id: choice?.id ?? null,
      },
    };
  },
});

/** @throws DispatchError `superseded` for one that counted already, or was made before the time was agreed */
function rescheduleChoice(context: RuleContext): ChoiceRow | null {
  const choice = citedChoice(context, 'OTHER_TIME');
  if (choice === null) return null;
  const before = ticketOf(context);
  if (choice.contact_id !== before.requester_id) refuseHold('not_asked');
  if (choice.consumed_at !== null) refuseHold('choice_consumed');
  const agreedAt = Date.parse(agreedOption(context)?.confirmed_at ?? '');
  if (!(Date.parse(choice.made_at) >= agreedAt)) refuseHold('choice_too_early');
  // The carrier vouches for a number, not for who holds the phone: too little to send a technician home. Who taps the
  // link has read what was sent to it.
  const isFirm = before.state === 'DISPATCHED' || before.priority === 'EMERGENCY';
  if (isFirm && !choice.link_hash)
    refuse('assurance_required', { detail: 'a text message does not move this' });
  return choice;
}

/** Only staff say whose delay it is; a customer who asks for another time owns it. */
function ownerOfDelay({
  acting,
  input,
}: RuleContext<{ readonly owner?: DelayOwner } | OnChoice>): DelayOwner {
  const given = 'owner' in input ? input.owner : undefined;
  if (acting.kind === 'person' && acting.role === 'dispatcher') {
    return given ?? refuse('schema_mismatch', { extra: { fields: ['/owner'] } });
  }
  if (given !== undefined && given !== 'CUSTOMER') refuse('policy_denied', { detail: 'whose delay it is' });
  return 'CUSTOMER';
}
