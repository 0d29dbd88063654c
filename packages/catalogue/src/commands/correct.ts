import { type CommandEntry, command, intake, own, staff } from '../define.ts';
import { choice, freeText, list, object, optional, reference } from '../fields.ts';
import { INCIDENT_TYPES } from '../incident-types/catalogue.ts';
import { ANSWERS, QUESTION_IDS } from '../incident-types/shape.ts';
import { PRIORITIES } from '../states.ts';

/** A ticket that is over can be reopened for this long after its last change. */
export const REOPEN_WITHIN_MS = 30 * 24 * 60 * 60 * 1000;

/** Puts right what came in: a wrong type, the same thing twice, words of a stranger, a repair that did not last. */
export const CORRECT_COMMANDS: readonly CommandEntry[] = [
  command('ticket.retriage', {
    summary:
      'Corrects type, answers or priority before anybody is sent; the clocks still run from the report.',
    target: 'ticket',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      type: choice(INCIDENT_TYPES),
      answers: list(
        object({ question: choice(QUESTION_IDS), answer: choice(ANSWERS) }),
        0,
        QUESTION_IDS.length,
      ),
      priority: optional(choice(PRIORITIES)),
      reason: freeText(),
    }),
    needs: ['approvals', 'costs', 'conversation', 'publications'],
  }),
  command('ticket.link_duplicate', {
    summary: 'Ends a ticket that reports what another open one of the same site and type is about.',
    target: 'ticket',
    who: staff('dispatcher'),
    // Never by itself: two doors of one store can break on one day.
    agents: intake(4),
    proof: 'L1',
    input: object({ survivor_id: reference('ticket') }),
    // The other ticket follows from the rows: an agent names none.
    agentInput: object({}),
    needs: ['turn', 'conversation', 'duplicates', 'autonomy'],
  }),
  command('ticket.reopen', {
    summary:
      'The repair did not last: opens a linked recall with a limit of zero. What is over stays as it is.',
    target: 'ticket',
    who: [own('requester'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({ reason: freeText() }),
    needs: ['conversation', 'open_recalls'],
  }),
  command('report.attach', {
    summary: 'Makes words of a stranger part of a ticket, or a ticket of them; the stranger owns neither.',
    target: 'report',
    who: staff('dispatcher'),
    proof: 'L1',
    input: object({
      /** Exactly one of the two: the ticket it belongs to, or the site of a new one. */
      ticket_id: optional(reference('ticket')),
      site_id: optional(reference('site')),
    }),
    needs: ['site'],
  }),
];
