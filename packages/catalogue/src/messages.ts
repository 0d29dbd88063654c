/**
 * Customer texts. A template states facts and is rendered by dispatch-api from a committed row;
 * a phrase states none and is what an agent may choose. Slots are typed; there is no free text in either.
 */
export const MESSAGE_TEMPLATES = [
  'M01', // received
  'M02', // need_info
  'M04', // priority_set
  'M05', // slots
  'M06', // booked (time agreed, or technician assigned)
  'M08', // en_route
  'M09', // late
  'M10', // arrived
  'M11', // approval_request
  'M12', // approval_result
  'M13', // on_hold
  'M14', // no_access
  'M15', // completed
  'M16', // recall_opened
  'M17', // invoice
  'M18', // cancelled
  'M20', // duplicate_linked
  'M21', // human_joined
] as const;
export type MessageTemplate = (typeof MESSAGE_TEMPLATES)[number];

/**
 * How many versions of each template's text this release brings; the sentences are in packages/decision. A version that
 * was released stays as it is: what was said by it can be rendered again.
 */
export const TEMPLATE_VERSIONS: Readonly<Record<MessageTemplate, number>> = {
  M01: 1,
  M02: 1,
  M04: 1,
  M05: 1,
  M06: 1,
  M08: 1,
  M09: 1,
  M10: 1,
  M11: 1,
  M12: 1,
  M13: 1,
  M14: 1,
  M15: 1,
  M16: 1,
  M17: 2,
  M18: 1,
  M20: 1,
  M21: 1,
};

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

/** What a person of ours may send by hand. As little a fact of the ticket as any phrase of an agent. */
export const STAFF_PHRASES = [
  'please_call_us',
  'please_give_access',
  'please_name_contact_on_site',
  'please_send_photo',
  'thanks_for_patience',
] as const;
export type StaffPhrase = (typeof STAFF_PHRASES)[number];
