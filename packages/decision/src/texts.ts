import type { MessageTemplate, Phrase, QuestionId, StaffPhrase } from '@deadlatch/catalogue';

/** What may stand in a customer text; each has a grammar of its own in `render-text`. */
export type SlotType =
  | 'window'
  | 'windows'
  | 'amount'
  | 'priority'
  | 'state'
  | 'outcome'
  | 'result'
  | 'questions'
  | 'ticket';

/** A reviewed sentence with `{slot}` marks; `reference` is in every template. */
export interface TextPattern {
  readonly text: string;
  readonly slots: Readonly<Record<string, SlotType>>;
}

/** One version of what a template says: a sentence, or several of which the committed values say which. */
export type TemplateText = TextPattern | readonly TextPattern[];

/** By template and version. */
export type TemplateTexts = ReadonlyMap<string, ReadonlyMap<number, TemplateText>>;

function released(template: MessageTemplate, ...versions: readonly TemplateText[]) {
  return [template, new Map(versions.map((text, at) => [at + 1, text]))] as const;
}

/**
 * English. Every sentence stays true for as long as its message's claim holds, also when it is read later than
 * it was sent. A version that was released is never edited, and another says it of the same values: whoever commits
 * them does not know by which version they will be said.
 */
export const TEMPLATE_TEXTS: TemplateTexts = new Map([
  released('M01', { text: 'We received your request. Ticket {reference}.', slots: {} }),
  released('M02', {
    text: 'Ticket {reference}: we need to know more before we can go on. {questions}',
    slots: { questions: 'questions' },
  }),
  released('M04', { text: 'Ticket {reference} has priority {priority}.', slots: { priority: 'priority' } }),
  released('M05', {
    text: 'Ticket {reference}: when may we come? {windows} Reply with the number alone, or 0 for other times.',
    slots: { windows: 'windows' },
  }),
  released('M06', [
    { text: 'Ticket {reference}: {state}.', slots: { state: 'state' } },
    {
      text: 'Ticket {reference}: we come on {window}. Reply 0 if you need another time.',
      slots: { window: 'window' },
    },
  ]),
  released('M08', { text: 'Ticket {reference}: the technician is on the way.', slots: {} }),
  released('M09', {
    text: 'Ticket {reference}: the technician did not arrive in the agreed time. We are looking for another.',
    slots: {},
  }),
  released('M10', { text: 'Ticket {reference}: {state}.', slots: { state: 'state' } }),
  released('M11', {
    text: 'Approval needed on ticket {reference}: {amount_cents} more, new limit {new_nte_cents}. A reply to this text approves nothing. Decide on this page only:',
    slots: { amount_cents: 'amount', new_nte_cents: 'amount' },
  }),
  released('M12', {
    text: 'Ticket {reference}: the additional cost was {result}. The limit is {nte_cents}.',
    slots: { result: 'result', nte_cents: 'amount' },
  }),
  released('M13', { text: 'Ticket {reference} is on hold.', slots: {} }),
  released('M14', {
    text: 'Ticket {reference}: the technician was there and could not get in. The ticket is on hold until we can come again.',
    slots: {},
  }),
  released('M15', {
    text: 'Ticket {reference}: the technician has handed in the work ({outcome}). We check it before we close the ticket.',
    slots: { outcome: 'outcome' },
  }),
  released('M16', {
    text: 'Ticket {reference} was opened because the repair of ticket {over} did not last.',
    slots: { over: 'ticket' },
  }),
  released(
    'M17',
    { text: 'Ticket {reference}: the invoice over {total_cents} is out.', slots: { total_cents: 'amount' } },
    {
      text: 'Ticket {reference}: we have issued the invoice. Its total is {total_cents}.',
      slots: { total_cents: 'amount' },
    },
  ),
  released('M18', { text: 'Ticket {reference} was cancelled.', slots: {} }),
  released('M20', {
    text: 'Ticket {reference} is about the same thing as ticket {survivor}. We go on under {survivor}.',
    slots: { survivor: 'ticket' },
  }),
  released('M21', { text: 'A person of our team reads and answers here now.', slots: {} }),
]);

/** What an agent may say. None of these states a fact of the ticket. */
export const PHRASE_TEXTS: ReadonlyMap<Phrase, TextPattern> = new Map<Phrase, TextPattern>([
  ['ask_intake_questions', { text: 'Please tell us: {questions}', slots: { questions: 'questions' } }],
  ['ask_to_describe_problem', { text: 'Please describe what is wrong and at which door.', slots: {} }],
  ['ask_which_site', { text: 'Which of your sites is this about?', slots: {} }],
  ['thanks_noted', { text: 'Thank you, we noted that.', slots: {} }],
  [
    'safety_keep_people_away',
    {
      text: 'Please keep people away from the door. If somebody is hurt or in danger, call 911.',
      slots: {},
    },
  ],
  ['a_person_will_look', { text: 'A person from our team looks at every message like yours.', slots: {} }],
  ['cannot_do_that_here', { text: 'That cannot be done by text message.', slots: {} }],
]);

/** What a person of ours may send by hand. None of these states a fact of the ticket either. */
export const STAFF_PHRASE_TEXTS: ReadonlyMap<StaffPhrase, TextPattern> = new Map<StaffPhrase, TextPattern>([
  ['please_call_us', { text: 'Please call us when you can.', slots: {} }],
  ['please_give_access', { text: 'Please make sure that somebody can let the technician in.', slots: {} }],
  ['please_name_contact_on_site', { text: 'Whom may the technician ask for at the site?', slots: {} }],
  ['please_send_photo', { text: 'Please send us a photo of the door and of what is broken.', slots: {} }],
  ['thanks_for_patience', { text: 'Thank you for your patience.', slots: {} }],
]);

export const QUESTION_TEXTS: ReadonlyMap<QuestionId, string> = new Map<QuestionId, string>([
  ['cannot_lock_anything', 'Is there no way to lock up right now?'],
  ['open_to_public', 'Can the public walk in?'],
  ['anyone_hurt', 'Is anybody hurt?'],
  ['which_door', 'Which door is it?'],
  ['since_when', 'Since when?'],
  ['closes_by_itself', 'Does the door close by itself?'],
  ['exit_blocked', 'Is an exit blocked?'],
  ['fire_or_exit_door', 'Is it a fire or exit door?'],
  ['hit_someone', 'Did the door hit somebody?'],
  ['only_entrance_stuck', 'Is the only entrance stuck?'],
  ['open_to_street', 'Is the opening open to the street?'],
  ['people_near', 'Are people near it?'],
  ['stuck_open_or_closed', 'Is the door stuck, open or closed?'],
  ['cannot_switch_off', 'Is there no way to switch the door off?'],
  ['opening_size', 'About how wide and high is the opening?'],
  ['not_safety_glass', 'Is it ordinary glass, not safety glass?'],
  ['required_exit', 'Is it a marked exit?'],
  ['occupied_now', 'Are people in the building now?'],
  ['deficiency_report', 'What does the inspection report say is wrong?'],
  ['label_present', 'Is there a fire label on the edge of the door?'],
  ['jammed_open', 'Is it jammed open?'],
  ['spring_or_cable_broken', 'Is a spring or cable broken?'],
  ['vehicle_trapped', 'Is a vehicle trapped?'],
  ['reader_light', 'Which light does the reader show?'],
  ['who_can_enter', 'Who can still get in?'],
  ['quote_number', 'What is the number of the quote?'],
  ['who_is_affected', 'Who cannot use the door?'],
  ['no_other_route', 'Is there no other accessible way in?'],
]);

/** States as customers read them; what is not here is never told in words. */
export const STATE_WORDS: ReadonlyMap<string, string> = new Map([
  ['DISPATCHED', 'a technician has been assigned'],
  ['ON_SITE', 'the technician has arrived'],
]);

export const OUTCOME_WORDS: ReadonlyMap<string, string> = new Map([
  ['RESOLVED', 'resolved'],
  ['TEMPORARY_REPAIR', 'temporary repair'],
  ['CANNOT_COMPLETE', 'could not be completed'],
  ['NO_FAULT', 'no fault found'],
  ['NO_ACCESS', 'no access'],
]);

export const RESULT_WORDS: ReadonlyMap<string, string> = new Map([
  ['APPROVED', 'approved'],
  ['DENIED', 'denied'],
  ['EXPIRED', 'not decided in time'],
]);
