/**
 * Customer texts. A template states facts and is rendered by dispatch-api from a committed row;
 * a phrase states none and is what an agent may choose. Slots are typed; there is no free text in either.
 */
export const MESSAGE_TEMPLATES = [
  'M01', // received
  'M02', // need_info
  'M04', // priority_set
  'M06', // booked (dispatched)
  'M10', // arrived
  'M11', // approval_request
  'M12', // approval_result
  'M13', // on_hold
  'M15', // completed
  'M17', // invoice
  'M18', // cancelled
] as const;
export type MessageTemplate = (typeof MESSAGE_TEMPLATES)[number];

export const PHRASES = [
  'ask_intake_questions',
  'ask_to_describe_problem',
  'ask_which_site',
  'thanks_noted',
  'safety_keep_people_away',
  'a_person_will_look',
  'cannot_do_that_here',
] as const;
export type Phrase = (typeof PHRASES)[number];
