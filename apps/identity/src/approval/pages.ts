import { html, type SafeHtml } from '@deadlatch/http';
import { type ErrorCode, formatUsd } from '@deadlatch/kernel';
import type { ActView } from './describe-act.ts';
import type { ActionView } from './describe-action.ts';
import type { ImportStanding } from './keep-imported.ts';
import { layout, type RenderedPage } from './layout.ts';

/** What the page lets its reader do next. */
export type NextStep =
  | { readonly kind: 'send-code' }
  | {
      readonly kind: 'enter-code';
      readonly csrf: string;
      readonly triesLeft: number;
      readonly wasRejected: boolean;
    }
  | { readonly kind: 'passkey' }
  | { readonly kind: 'locked' };

/** The approval page: the signed statement in full, then the one thing that can be done. @source T3.4 */
export function approvalPage(
  secret: string,
  action: string,
  view: ActionView | ActView,
  next: NextStep,
): RenderedPage {
  return view.kind === 'act' ? actPage(secret, action, view, next) : moneyPage(secret, action, view, next);
}

function actPage(secret: string, action: string, view: ActView, next: NextStep): RenderedPage {
  return layout(
    'Confirmation',
    html`<section>
<h1>${view.title}</h1>
<dl>
${view.account === null ? null : html`<dt>Account</dt><dd>${view.account}</dd>`}
${view.site === null ? null : html`<dt>Site</dt><dd>${view.site}</dd>`}
${view.asked.map((item) => html`<dt>${item.label}</dt><dd>${item.value}</dd>`)}
<dt>Confirm before</dt><dd>${formatInstant(view.expiresAt)}</dd>
<dt>Statement</dt><dd>${view.bytes} bytes, SHA-256 ${view.digest}</dd>
</dl>
<details><summary>The exact statement you decide on</summary>
<dl>${view.others.map((item) => html`<dt>${item.label}</dt><dd>${item.value}</dd>`)}</dl>
<pre>${action}</pre>
</details>
</section>
${nextSection(secret, next)}`,
  );
}

function moneyPage(secret: string, action: string, view: ActionView, next: NextStep): RenderedPage {
  return layout(
    'Approval',
    html`<section>
<h1>${view.title}</h1>
<p class="amount">${formatUsd(view.amountCents)}</p>
<p>New not-to-exceed amount: <strong>${formatUsd(view.newNteCents)}</strong></p>
${linesTable(view)}
<dl>
${view.reference === null ? null : html`<dt>Ticket</dt><dd>${view.reference}</dd>`}
${view.site === null ? null : html`<dt>Site</dt><dd>${view.site}</dd>`}
<dt>Decide before</dt><dd>${formatInstant(view.expiresAt)}</dd>
</dl>
<details><summary>The exact statement you decide on</summary>
<dl>${view.others.map((item) => html`<dt>${item.label}</dt><dd>${item.value}</dd>`)}</dl>
<pre>${action}</pre>
</details>
</section>
${nextSection(secret, next)}`,
  );
}

function linesTable(view: ActionView): SafeHtml {
  const rows = view.lines.map(
    (line) =>
      html`<tr><td>${plainWord(line.kind)}${line.partNumber === null ? null : html` ${line.partNumber}`}${
        line.isIncurred ? html`<br><span class="soft">already incurred</span>` : null
      }</td><td class="n">${line.quantity} × ${formatUsd(line.unitCents)}</td><td class="n">${formatUsd(line.totalCents)}</td></tr>`,
  );
  return html`<table><thead><tr><th scope="col">Line</th><th scope="col" class="n">Quantity</th><th scope="col" class="n">Total</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function nextSection(secret: string, next: NextStep): SafeHtml {
  switch (next.kind) {
    case 'send-code':
      return html`<section>
<h2>Decide</h2>
<p>We send a code to your e-mail address on file. It works once, for ten minutes, and only in this browser.</p>
<form method="post" action="/approve/${secret}/code"><button type="submit">Send me a code</button></form>
</section>`;
    case 'enter-code':
      return codeSection(secret, next);
    case 'passkey':
      return html`<section>
<h2>A passkey is needed</h2>
<p>A decision of this kind needs a passkey. Passkeys are not available here yet, so nothing can be decided on this page. Please call your dispatcher.</p>
</section>`;
    case 'locked':
      return html`<section>
<h2>This page is locked</h2>
<p class="bad" role="alert">Nothing can be decided here any more, for your safety. Please call your dispatcher.</p>
</section>`;
  }
}

function codeSection(secret: string, next: Extract<NextStep, { kind: 'enter-code' }>): SafeHtml {
  return html`<section>
<h2>Enter your code</h2>
${next.wasRejected ? html`<p class="bad" role="alert" id="rejected">That code does not fit. Nothing was decided.</p>` : null}
<form method="post" action="/approve/${secret}/decide" autocomplete="off">
<input type="hidden" name="csrf" value="${next.csrf}">
<label for="code">Code from the e-mail</label>
<input class="code" id="code" name="code" type="text" inputmode="numeric" pattern="[0-9 ]{8,12}" minlength="8" maxlength="12" autocomplete="one-time-code" required aria-describedby="tries">
<p class="soft" id="tries">${next.triesLeft === 1 ? 'One try left.' : html`${next.triesLeft} tries left.`} Eight digits.</p>
<fieldset><legend>Your decision</legend>
<label><input type="radio" name="decision" value="APPROVE" required> Approve</label>
<label><input type="radio" name="decision" value="DENY" required> Decline</label>
</fieldset>
<button type="submit">Send my decision</button>
</form>
</section>
<section>
<form method="post" action="/approve/${secret}/code"><button class="second" type="submit">Send another code</button></form>
</section>`;
}

const STATES: ReadonlyMap<string, string> = new Map([
  ['CONSUMED', 'This request was approved.'],
  ['DENIED', 'This request was declined.'],
  ['EXPIRED', 'This request expired before anybody decided.'],
  ['WITHDRAWN', 'Whoever asked has taken this request back.'],
  ['VOID', 'This request was replaced by another one.'],
]);

/** An approval that is over: its state, and nothing else of it. */
export function overPage(state: string): RenderedPage {
  return layout(
    'Nothing left to decide',
    html`<section>
<h1>Nothing left to decide</h1>
<p role="status">${STATES.get(state) ?? 'This request is no longer open.'}</p>
</section>`,
  );
}

/** An import that was confirmed: who still lacks a number or address, and one way on. */
export function importedPage(secret: string, standing: ImportStanding): RenderedPage {
  return layout(
    'Contacts on file',
    html`<section>
<h1>Contacts on file</h1>
${importedSection(secret, standing)}
</section>`,
  );
}

function importedSection(secret: string, { total, missing, shared }: ImportStanding): SafeHtml {
  const kept = total - missing.length;
  return html`<p role="status" class="${missing.length === 0 ? 'good' : 'bad'}">${kept} of ${total} contacts have their number or address.</p>
${
  missing.length === 0
    ? null
    : html`<p>Nobody is recognised by these yet: ${missing.join(', ')}.</p>
<form method="post" action="/approve/${secret}/keep"><button type="submit">Keep what is missing</button></form>
<p class="soft">This link does so for a day after it was asked. A contact who is still listed then has words that are no number or address: ask for contact.change.</p>`
}
${shared.length === 0 ? null : html`<p class="bad">A number or address of these is on file for somebody else too, so nobody is recognised by it: ${shared.join(', ')}.</p>`}`;
}

/** What dispatch-api committed, and nothing that it did not say. @source T2.2 */
export function decidedPage(
  decision: 'APPROVE' | 'DENY',
  committed: CommittedAnswer,
  imported: { readonly secret: string; readonly standing: ImportStanding | null } | null = null,
): RenderedPage {
  const approved = decision === 'APPROVE';
  const ticket = committed.ticket;
  return layout(
    approved ? 'Approved' : 'Declined',
    html`<section>
<h1>${approved ? 'Approved' : 'Declined'}</h1>
<p class="good" role="status">Your decision is recorded.</p>
${committed.isKept ? null : html`<p class="bad" role="alert">The name, number or address could not be kept. Please ask for the change again.</p>`}
${committed.isShared ? html`<p class="bad" role="alert">That number or address is on file for somebody else too, so nobody is recognised by it.</p>` : null}
${imported === null ? null : imported.standing === null ? html`<p class="bad" role="alert">Names, numbers and addresses could not be kept now. Open this link again within a day.</p>` : importedSection(imported.secret, imported.standing)}
<dl>
${
  ticket === null
    ? null
    : html`<dt>Ticket</dt><dd>${ticket.reference}</dd>
<dt>State</dt><dd>${plainWord(ticket.state)}</dd>
<dt>Not-to-exceed amount</dt><dd>${formatUsd(ticket.nteCents)}</dd>`
}
<dt>Receipt</dt><dd>${committed.eventId}</dd>
</dl>
</section>`,
  );
}

/** What became of what was typed of a contact. */
export interface Kept {
  /** False: it could not be kept. */
  readonly isKept: boolean;
  /** Whether somebody else has the same number or address. */
  readonly isShared: boolean;
}

export interface CommittedAnswer extends Kept {
  readonly ticket: { readonly reference: string; readonly state: string; readonly nteCents: number } | null;
  readonly eventId: string;
}

const PLAIN: ReadonlyMap<ErrorCode, string> = new Map([
  ['limit_exceeded', 'The amount is above your approval limit.'],
  ['cooling_off', 'Your details were changed within the last 24 hours; you cannot approve yet.'],
  ['separation_of_duty', 'Whoever asked for this cannot decide it.'],
  ['assurance_required', 'A stronger proof is needed for this decision.'],
  ['digest_mismatch', 'What is asked has changed since the link was sent.'],
  ['invalid_state', 'This request is no longer open.'],
  ['version_conflict', 'The ticket changed at the same moment. Open the link again.'],
  ['not_granted', 'You are not on the list of approvers.'],
  ['not_found', 'This link is not valid.'],
  ['code_rejected', 'That code does not fit. Nothing was decided.'],
  ['rate_limited', 'Too many codes were asked for. Wait a little, or call your dispatcher.'],
  ['malformed_body', 'Your browser sent something we could not read. Open the link again.'],
  ['unauthenticated', 'This form was not opened in this browser, or it is too old. Open the link again.'],
  ['unavailable', 'We cannot answer right now. Open the link again in a moment to see what is on record.'],
]);

/** A refusal in plain words. Which check failed is in audit, not here. */
export function refusedPage(code: ErrorCode): RenderedPage {
  return layout(
    'Not possible',
    html`<section>
<h1>Not possible</h1>
<p role="alert">${PLAIN.get(code) ?? 'This was refused. Please call your dispatcher.'}</p>
</section>`,
  );
}

/** `IN_PROGRESS` as `In progress`: the code itself stands in the exact statement. */
function plainWord(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `22 Nov 2026, 14:05 UTC` */
export function formatInstant(instant: string): string {
  const at = new Date(instant);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ''} ${at.getUTCFullYear()}, ${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`;
}
