import type { IncidentType } from '@deadlatch/catalogue';
import { call, FINISH, type Step, say, type TicketSummary, type TurnView } from './planner.ts';
import { KEEP_AWAY } from './procedures.ts';

/**
 * The procedure of times: offer, take what was chosen, offer again. What the words say is not looked at: a choice is
 * what plain code read in a whole message, and everything else is for a person.
 * @source T1.4, T1.10
 */
export function arrangeTime(view: TurnView, ticket: TicketSummary): Step {
  switch (ticket.state) {
    case 'READY_TO_SCHEDULE':
      return propose(view);
    case 'SCHEDULE_PROPOSED':
      return answerProposal(view, ticket);
    case 'SCHEDULED':
      return afterAgreement(view, ticket);
    default:
      if (view.done.has('visit.dispatch')) return FINISH;
      return view.schedule?.choice?.kind === 'OTHER_TIME' ? moveAgreed(view) : say('thanks_noted');
  }
}

function propose(view: TurnView): Step {
  // Whoever wanted none of our times hears from a person, and not the same times once more.
  if (view.schedule?.choice?.kind === 'OTHER_TIME') return say('a_person_will_look');
  return view.tools.has('schedule.propose') ? call('schedule.propose', {}) : say('thanks_noted');
}

function answerProposal(view: TurnView, ticket: TicketSummary): Step {
  // The offer that this turn made is its answer, but for a danger that is told at once.
  if (view.done.has('schedule.propose')) {
    return KEEP_AWAY.has(ticket.type as IncidentType) ? say('safety_keep_people_away') : FINISH;
  }
  const { choice = null, open = 0 } = view.schedule ?? {};
  if (choice?.kind === 'OPTION') return call('schedule.confirm', { choice_id: choice.id });
  // All of them are over, or none of them fits.
  if (open === 0 || choice !== null) return call('schedule.release', {});
  return say('a_person_will_look');
}

function afterAgreement(view: TurnView, ticket: TicketSummary): Step {
  const isOurs = view.done.has('schedule.confirm');
  if (!isOurs && view.schedule?.choice?.kind === 'OTHER_TIME') return moveAgreed(view);
  if (ticket.priority === 'ROUTINE' && view.tools.has('visit.dispatch')) return call('visit.dispatch', {});
  // The booking says it all.
  return isOurs ? FINISH : say('thanks_noted');
}

function moveAgreed(view: TurnView): Step {
  const { choice = null } = view.schedule ?? {};
  return choice === null ? say('a_person_will_look') : call('schedule.reschedule', { choice_id: choice.id });
}
