import { html, renderPage, type SafeHtml } from '@deadlatch/http';
import type { FastifyReply } from 'fastify';

export interface Page {
  readonly title: string;
  readonly body: SafeHtml;
}

/** Answers with a whole document on which no script can run. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const { headers, html: text } = renderPage({
    title: `${page.title} · Deadlatch`,
    style: STYLES,
    body: html`<main><p class="mark">Deadlatch</p>${page.body}</main>`,
  });
  return (
    reply
      .code(status)
      .headers(headers)
      // Not `no-referrer`: with it browsers send `Origin: null` with our own forms, which the gate refuses.
      .header('referrer-policy', 'same-origin')
      .header('x-robots-tag', 'noindex')
      .send(text)
  );
}

const STYLES = `
:root { color-scheme: light dark; }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  color: light-dark(#1d2024, #e6e4df); background: light-dark(#f5f4f0, #17181a); }
main { max-width: 34rem; margin: 0 auto; padding: clamp(1.5rem, 8vh, 5rem) 1rem 3rem; }
.mark { font-weight: 700; margin: 0 0 1.5rem; color: light-dark(#7d4e0d, #e4b159); }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 0.75rem; }
p { margin: 0 0 1rem; }
.state { font-size: 1.25rem; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.375rem 1.25rem; margin: 1.25rem 0;
  padding: 1rem; background: light-dark(#fff, #1f2123); border: 1px solid light-dark(#dcd9d0, #36383b); border-radius: 6px; }
dt { color: light-dark(#5a5f66, #a3a39d); }
dd { margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
ul { list-style: none; padding: 0; margin: 0 0 1.25rem; display: grid; gap: 0.625rem; }
li { overflow-wrap: anywhere; }
time { color: light-dark(#5a5f66, #a3a39d); font-size: 0.9375rem; }
dd time { color: inherit; font-size: inherit; }
.hint { color: light-dark(#5a5f66, #a3a39d); font-size: 0.9375rem; border-top: 1px solid light-dark(#dcd9d0, #36383b); padding-top: 1rem; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: 0.5rem 1.5rem; border: 0; border-radius: 4px;
  color: light-dark(#fff, #221602); background: light-dark(#7d4e0d, #e4b159); cursor: pointer; }
:focus-visible { outline: 2px solid light-dark(#7d4e0d, #e4b159); outline-offset: 2px; }
.choices button { width: 100%; padding-inline: 0.5rem; }
button.quiet { color: inherit; background: none; border: 1px solid light-dark(#7d4e0d, #e4b159); }
@media (max-width: 420px) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; } button { width: 100%; } }
`;
