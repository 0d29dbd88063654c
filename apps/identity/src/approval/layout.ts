import { html, renderPage, type SafeHtml } from '@deadlatch/http';

const STYLE = `
:root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--ink:#16181d;--soft:#555c68;--line:#d6d9df;--key:#0b5394;--on-key:#fff;--bad:#a3201d;--good:#17643a}
@media (prefers-color-scheme:dark){:root{--bg:#14161a;--card:#1d2026;--ink:#eceef2;--soft:#a9b0bc;--line:#3a3f49;--key:#8ec5ff;--on-key:#0b1b2b;--bad:#ff9d97;--good:#7fdca4}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:36rem;margin:0 auto;padding:1rem}
.brand{margin:.5rem 0 1rem;font-weight:600;color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem;margin:0 0 1rem}
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .75rem}
h2{font-size:1.05rem;margin:0 0 .5rem}
p{margin:0 0 .75rem}
.amount{font-size:2rem;font-weight:700;margin:0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.35rem 1rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;margin:.25rem 0}
th,td{text-align:left;padding:.4rem .25rem;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}
td.n,th.n{text-align:right;white-space:nowrap}
label{display:block;font-weight:600;margin:0 0 .25rem}
fieldset{border:1px solid var(--line);border-radius:.5rem;margin:0 0 1rem;padding:.5rem .9rem}
legend{font-weight:600;padding:0 .3rem}
fieldset label{display:flex;align-items:center;gap:.6rem;min-height:2.75rem;margin:0;font-weight:400}
input[type=radio]{width:1.25rem;height:1.25rem}
input.code{width:100%;max-width:14rem;font:600 1.5rem/1.2 ui-monospace,monospace;letter-spacing:.15em;padding:.6rem;border:1px solid var(--soft);border-radius:.5rem;background:var(--bg);color:var(--ink);margin:0 0 1rem}
button{width:100%;min-height:3rem;font-family:inherit;font-size:1rem;font-weight:600;line-height:1.2;border-radius:.5rem;border:1px solid var(--key);background:var(--key);color:var(--on-key);cursor:pointer;padding:.75rem}
button.second{background:transparent;color:var(--key)}
:focus-visible{outline:3px solid var(--key);outline-offset:2px}
.soft{color:var(--soft);font-size:.92rem}
.bad{color:var(--bad);font-weight:600}
.good{color:var(--good);font-weight:600}
details{margin-top:.75rem}
summary{cursor:pointer;color:var(--soft);min-height:1.75rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem;margin:.5rem 0 0}
`;

/** A page with the headers that must go with it. */
export interface RenderedPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/**
 * A whole document around `content`: no script, no foreign source, nothing cached.
 * @param title a constant of ours
 */
export function layout(title: string, content: SafeHtml): RenderedPage {
  const page = renderPage({
    title: `${title} – Deadlatch`,
    style: STYLE,
    body: html`<main>
<p class="brand">Deadlatch approvals</p>
${content}
</main>`,
  });
  // Under `no-referrer` browsers post forms with `Origin: null`, and the origin is what every post here is checked
  // by. `same-origin` keeps the address, which holds the secret, from everybody else just as well.
  return { ...page, headers: { ...page.headers, 'referrer-policy': 'same-origin' } };
}
