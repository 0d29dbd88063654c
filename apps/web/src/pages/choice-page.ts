import { html, type SafeHtml } from '@deadlatch/http';
import type { Page } from './layout.ts';
import { stateSentence } from './status-page.ts';

const YOURS = html`<div class="hint"><p>This link is yours: whoever has it can choose a time for you. We never ask for money,
a code or an approval here.</p></div>`;

/** The fields of `link.choice` that the page shows. */
export interface Choices {
  readonly reference: string;
  readonly state: string;
  /** On whose clock the times are. */
  readonly timeZone: string;
  /** What can be chosen now; none when nothing can. */
  readonly options: readonly { readonly id: string; readonly words: string }[];
  /** Whether another time can be asked for. */
  readonly mayMove: boolean;
  /** The time that is agreed, if one is. */
  readonly agreed: string | null;
  /** What was chosen by this link; `words` is null for other times. */
  readonly chosen: { readonly words: string | null } | null;
}

/**
 * Plain HTML: a button for each time that can be chosen, on the clock of the site.
 * @param action where its forms are sent
 * @returns null for a state without words: then nothing is claimed
 */
export function choicePage(choices: Choices, action: string): Page | null {
  const sentence = stateSentence(choices.state);
  if (sentence === null) return null;
  return {
    title: choices.reference,
    body: html`<h1>${choices.reference}</h1>
${question(choices, sentence)}
${agreedTime(choices)}
${buttons(choices, action)}
${
  choices.options.length === 0 && choices.agreed === null
    ? null
    : html`<p>Times are on the clock of the site (${choices.timeZone.replaceAll('_', ' ')}).</p>`
}
${YOURS}`,
  };
}

function question({ chosen, options, mayMove, state }: Choices, sentence: string): SafeHtml {
  if (chosen !== null) {
    return html`<p class="state">${
      chosen.words === null ? 'You asked for another time.' : `You chose ${chosen.words}.`
    }</p>
<p>We tell you by text what becomes of it.${state === 'SCHEDULE_PROPOSED' ? null : ` ${sentence}`}</p>`;
  }
  if (options.length > 0) return html`<p class="state">When may we come?</p>`;
  const over = mayMove ? null : html`<p>Nothing can be chosen with this link any more.</p>`;
  return html`<p class="state">${sentence}</p>${over}`;
}

function agreedTime({ agreed, chosen }: Choices): SafeHtml | null {
  if (agreed === null || chosen !== null) return null;
  return html`<dl><dt>Agreed time</dt><dd>${agreed}</dd></dl>`;
}

function buttons({ options, mayMove }: Choices, action: string): SafeHtml | null {
  if (options.length === 0 && !mayMove) return null;
  const other = options.length > 0 ? 'None of these: other times' : 'I need another time';
  return html`<form method="post" action="${action}"><ul class="choices">${options.map(
    ({ id, words }) => html`<li><button type="submit" name="time" value="${id}">${words}</button></li>`,
  )}${
    mayMove
      ? html`<li><button class="quiet" type="submit" name="time" value="other">${other}</button></li>`
      : null
  }</ul></form>`;
}
