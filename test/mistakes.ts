/**
 * What went wrong in comparable systems, as data. A test that would fail here if we made the same mistake calls
 * `guardsAgainst(11)`; `tools/check-requirements.ts` reads those calls and fails the build on an unknown number and
 * on a mistake that no test guards against.
 */
export interface Mistake {
  readonly number: number;
  readonly text: string;
}

const TEXTS = [
  'An idempotency key was scoped to the route template: the same key and body on ticket B were answered with ticket A.',
  'An unassigned technician checked in, with a timestamp of 1999.',
  'An agent set the NTE to $1,000,000 through triage.',
  'Approving an increase left the NTE unchanged.',
  'Denying a change on site threw the ticket back to TRIAGED.',
  'The emergency path answered 500: the database lacked an edge that the code had.',
  'A failed verification was rolled back: no record, no way forward.',
  'The stop switch stopped the human technician and not the agent.',
  'A role of the agent was an alias of dispatcher.',
  'Eight identical intakes at once made five tickets.',
  'Confirming accepted a window that nobody had proposed; one technician was booked twice.',
  'Evidence pointed at files that did not exist, and the server fetched any address it was given while holding a row lock.',
  'A tool took the actor from the arguments of the model.',
  'A body of 60 MB was read before authentication.',
  'Rescheduling reset the clock of the service level.',
  'The outbox sent inside the transaction and sent again after a crash; an unknown number became a literal string that counted as sent.',
  'No policy loaded, or none that matched, meant allow.',
  'An approval chain with zero required stages was satisfied.',
  'A comparison was skipped when one side was absent: a missing attribute passed.',
  'An empty set of labels matched everything.',
  'An error or time-out of the policy engine meant allow.',
  '`undefined` was read as "no approval needed".',
  'A tool named `constructor` bypassed the map of approvals.',
  'A deny rule that threw did not deny.',
  'A rule on a field that is not present at decision time never matched.',
  'The filter of the list and the check of the call drifted apart.',
  'The asynchronous path skipped the check.',
  'A time-out approved automatically.',
  "The approver's name was taken from the body.",
  'An empty token fell back to a weaker path.',
  'A retried booking ran twice.',
  'The assistant said "booked" and nothing was.',
  'An expired idempotency lease repeated a committed write.',
  'TRUNCATE walked past the row trigger.',
  'A proof was verified without checking that its leaf is the event shown.',
] as const;

/** Every mistake once, numbered from 1. */
export const MISTAKES: readonly Mistake[] = TEXTS.map((text, at) => ({ number: at + 1, text }));

/**
 * Says which mistakes a test would notice. Call it with literals: the coverage gate reads the source.
 * @throws Error on a number that is not listed, so a typing mistake fails its own test.
 */
export function guardsAgainst(...numbers: number[]): void {
  if (numbers.length === 0) throw new Error('guardsAgainst() needs at least one number');
  for (const number of numbers) {
    if (!MISTAKES.some((mistake) => mistake.number === number)) throw new Error(`no such mistake: ${number}`);
  }
}
