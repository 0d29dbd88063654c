import { html } from '@deadlatch/http';
import type { Page } from './layout.ts';

/** A page whose only effect is the button on it: opening it, or a scanner opening it, uses nothing up. */
export function signInPage(form: { readonly link: string; readonly csrf: string }): Page {
  return {
    title: 'Sign in',
    body: html`<h1>Sign in to the console</h1>
<p>This link signs you in once, on this device.</p>
<form method="post" action="/sign-in">
<input type="hidden" name="link" value="${form.link}">
<input type="hidden" name="csrf" value="${form.csrf}">
<button type="submit">Sign in</button>
</form>`,
  };
}

/** One page for every reason: a used, an expired and an unknown link are not told apart. */
export function signInRefusedPage(): Page {
  return {
    title: 'Not signed in',
    body: html`<h1>This link does not sign you in</h1>
<p>Each link works once and for a short time. Ask for a new one.</p>`,
  };
}

export function tryLaterPage(): Page {
  return {
    title: 'Try again',
    body: html`<h1>We could not look right now</h1>
<p>A part of the system did not answer. Nothing was changed. Try again in a minute.</p>`,
  };
}
