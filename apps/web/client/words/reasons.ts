import type { UnusableReason } from '@deadlatch/catalogue';
import type { ErrorCode } from '@deadlatch/kernel';
import type { Factor, IneligibleReason } from '@deadlatch/scheduling';

/** What is wrong with a photo that was not kept. */
export const UNUSABLE_WORDS: Readonly<Record<UnusableReason, string>> = {
  type_differs: 'The file is not of the type that its name says.',
  not_whole: 'The end of the file is missing.',
  animated: 'It is a film. Send a single picture.',
  too_many_pixels: 'It has more pixels than we keep. Send it smaller.',
  trailing_data: 'There is something else in the file besides the picture.',
  undecodable: 'It cannot be opened.',
  too_large: 'It would become larger than 15 MB. Send it smaller.',
  too_slow: 'It took too long to open. Try again, or send another.',
  decoder_failed: 'It could not be opened. Try again, or send another.',
};

/** Why something was refused, or cannot be done now. */
export const REFUSAL_WORDS: Readonly<Record<ErrorCode, string>> = {
  unauthenticated: 'Your sign-in has ended. Open a new sign-in link.',
  unknown_command: 'This action does not exist.',
  above_ceiling: 'This cannot be done from the console.',
  not_granted: 'Your role does not include this.',
  malformed_body: 'The request could not be read.',
  schema_mismatch: 'Something in the form is missing or out of range.',
  unsupported_media_type: 'This kind of file is not accepted.',
  payload_too_large: 'This is too large.',
  missing_idempotency_key: 'The request was incomplete. Try again.',
  not_found: 'Not found, or not yours to see.',
  turn_ended: 'The agent’s turn has ended.',
  invalid_state: 'Not possible in the ticket’s current state.',
  version_conflict: 'The ticket changed meanwhile. Look again, then retry.',
  policy_denied: 'A policy does not allow this.',
  autonomy_denied: 'The agent may not do this by itself.',
  agent_paused: 'The agent is paused.',
  human_in_charge: 'A person has taken over this conversation.',
  separation_of_duty: 'Somebody who was not involved in the work must do this.',
  nte_exceeded: 'The amount is above what may be spent on this ticket.',
  limit_exceeded: 'This is above the approver’s limit.',
  not_eligible: 'This technician is not eligible: skill, certificate, territory or shift.',
  double_booking: 'The technician has another visit at that time.',
  cooling_off: 'A contact was changed recently and cannot do this yet.',
  after_hours: 'Outside working hours this needs a supervisor as well.',
  not_due: 'This is not due yet.',
  superseded: 'This is no longer current.',
  evidence_missing: 'Required evidence is still missing.',
  evidence_mismatch: 'The stored file is not the file that was announced.',
  evidence_unusable: 'This photo cannot be kept.',
  upload_conflict: 'Another part of this upload arrived first. It goes on from there.',
  too_many_uploads:
    'Too many photos of this ticket are announced and not finished. Finish them, or try tomorrow.',
  assurance_required: 'This needs a stronger proof of who you are.',
  digest_mismatch: 'What was shown is not what would be done. Nothing was changed.',
  code_rejected: 'The code was not accepted.',
  idempotency_key_reused: 'This form was sent before with other content. Reload the page.',
  rate_limited: 'Too many requests. Wait a moment.',
  unavailable:
    'A part of the system did not answer. Nothing is certain to have changed: look again, then retry.',
};

/** Why something waits for a person. */
export const ATTENTION_WORDS: Readonly<Record<string, string>> = {
  unanswered_message: 'A message nobody has answered',
  safety_triage: 'A danger: send somebody',
  unapproved_yes: 'Somebody who may not approve wrote yes',
  delivery_failed: 'A text did not arrive',
  approval_expired: 'Nobody decided in time',
  approval_locked: 'An approval is locked after wrong codes',
  times_unanswered: 'Nobody answered the offered times',
  choice_waits: 'A customer chose a time on the page',
  other_times_wanted: 'None of the offered times fits',
  visit_declined: 'A technician declined: find somebody else',
  offer_unanswered: 'Nobody has taken the offered visit',
  visit_missed: 'Nobody arrived: agree another time',
  technician_to_tell: 'Call the technician: the visit is no longer theirs',
  suggestion: 'The agent suggests something',
  suggestion_expired: 'Nobody answered a suggestion in time',
  hold_over: 'A hold is over: go on, or hold it anew',
  info_unanswered: 'Nobody has answered our questions',
  cancel_requested: 'The customer asks to cancel',
  invoice_disputed: 'The customer contests the invoice',
  consent_needed: 'A supervisor has to decide as well',
};

/** What a recommendation is made of. */
export const FACTOR_WORDS: Readonly<Record<Factor, string>> = {
  skill: 'Skills to spare',
  certification: 'Days certified',
  territory: 'Place in their list of territories',
  travel: 'Minutes on the road',
  shift: 'Minutes of shift left',
  slack: 'Minutes to spare',
  load: 'Minutes of work that day',
  wait: 'Minutes until then',
  late: 'Minutes after the promise',
};

/** Why somebody cannot be sent. */
export const INELIGIBLE_WORDS: Readonly<Record<IneligibleReason, string>> = {
  unknown: 'not enough is known',
  inactive: 'not active',
  skill_missing: 'lacks a skill',
  certification_missing: 'lacks a certificate',
  certification_expired: 'certificate ends before then',
  outside_territory: 'works elsewhere',
  off_shift: 'not on duty',
  absent: 'away',
  site_closed: 'the site is closed',
  double_booked: 'taken at that time',
  too_far: 'cannot be there in time',
};
