import { TICKET_STATES, type TicketState } from '@deadlatch/catalogue';
import { html, type SafeHtml } from '@deadlatch/http';
import type { Page } from './layout.ts';

/** What a customer is told about a state: what happens next, in their words rather than ours. */
const STATE_SENTENCES: Readonly<Record<TicketState, string>> = {
  NEW: 'We have your report and are looking at it.',
  NEEDS_INFO: 'We need a little more information from you.',
  TRIAGED: 'We have looked at your report and are planning the work.',
  APPROVAL_REQUIRED: 'The work is waiting for an approval.',
  READY_TO_SCHEDULE: 'We are looking for an appointment.',
  SCHEDULE_PROPOSED: 'We have offered you appointments.',
  SCHEDULED: 'An appointment is set.',
  DISPATCHED: 'A technician has been sent.',
  ON_SITE: 'The technician is on site.',
  IN_PROGRESS: 'The technician is working on it.',
  ON_HOLD: 'The work is on hold.',
  COMPLETED_PENDING_VERIFICATION: 'The work is done and is being checked.',
  VERIFIED: 'The work is done and was checked.',
  INVOICED: 'The work is done and was invoiced.',
  CLOSED: 'This is finished.',
  CANCELLED: 'This was cancelled.',
};

const REAL = html`<div class="hint"><p><strong>Is a message real?</strong> A text about your ticket is ours only if it
is listed on the page behind your link. If a message asks for money, a code or an approval and that page does not
agree with it, do not answer it. We never ask you to approve anything by replying.</p></div>`;

/** The fields of `link.status` that the page shows; everything else in the answer is left where it is. */
export interface LinkStatus {
  readonly reference: string;
  readonly state: string;
  readonly times: readonly { readonly label: string; readonly at: string }[];
  /** Keys of evidence that a supervisor allowed to go without. */
  readonly waived: readonly string[];
  /** What was sent to the holder of this link about it, oldest first. */
  readonly messages: readonly { readonly at: string; readonly text: string }[];
}

/** @returns `null` for a state without words */
export function stateSentence(state: string): string | null {
  const known = TICKET_STATES.find((one) => one === state);
  return known === undefined ? null : STATE_SENTENCES[known];
}

/** Plain HTML for whoever holds the link. @returns `null` for a state without words: then nothing is claimed */
export function statusPage(status: LinkStatus): Page | null {
  const sentence = stateSentence(status.state);
  if (sentence === null) return null;
  return {
    title: status.reference,
    body: html`<h1>${status.reference}</h1>
<p class="state">${sentence}</p>
${
  status.times.length === 0
    ? null
    : html`<dl>${status.times.map(
        ({ label, at }) => html`<dt>${label}</dt><dd><time datetime="${at}">${instantWords(at)}</time></dd>`,
      )}</dl>`
}
${waivedList(status)}
${messageList(status)}
<p>This page shows what our records say at this moment. Load it again to see what is new.</p>
${REAL}`,
  };
}

/** `photo.after.failed_lock` as `failed lock (photo, after)`. */
function evidenceWords(key: string): string {
  const parts = key.replaceAll('_', ' ').split('.');
  const rest = parts.splice(parts.length > 2 ? 2 : 1).join(' ');
  return rest === '' ? parts.join(' ') : `${rest} (${parts.join(', ')})`;
}

function waivedList({ waived }: LinkStatus): SafeHtml | null {
  if (waived.length === 0) return null;
  return html`<h2>Not on record, by decision of a supervisor</h2>
<ul>${waived.map((key) => html`<li>${evidenceWords(key)}</li>`)}</ul>`;
}

function messageList({ messages }: LinkStatus): SafeHtml | null {
  if (messages.length === 0) return null;
  return html`<h2>Messages we sent you</h2>
<ul>${messages.map(({ at, text }) => html`<li><time datetime="${at}">${instantWords(at)}</time><br>${text}</li>`)}</ul>`;
}

/** The same for an unknown, an expired and a mistyped link: a stranger learns nothing. */
export function neutralStatusPage(): Page {
  return {
    title: 'Nothing to show',
    body: html`<h1>There is nothing to show for this link</h1>
<p>Links of ours expire, and only work exactly as they were sent. Open the one in our newest message.</p>
${REAL}`,
  };
}

function instantWords(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  return `${date.toLocaleString('en-US', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' })} UTC`;
}
