import { createHash } from 'node:crypto';

/** Text that is safe to stand in HTML: made by `html`, or escaped. */
export class SafeHtml {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }

  /** Only `html` calls this, with the literal parts of a template. */
  static fromTemplate(parts: readonly string[], values: readonly HtmlValue[]): SafeHtml {
    return new SafeHtml(parts.reduce((all, part, at) => all + markupOf(values[at - 1]) + part));
  }
}

export type HtmlValue = SafeHtml | string | number | null | undefined | readonly HtmlValue[];

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
  ['`', '&#96;'],
]);

/** Escapes text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (ch) => ESCAPES.get(ch) ?? '');
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined) return '';
  if (value instanceof SafeHtml) return value.toString();
  if (Array.isArray(value)) return value.map(markupOf).join('');
  return escapeHtml(String(value));
}

/**
 * Template tag: everything put in is escaped unless `html` made it. Put values between tags or in quoted
 * attributes only, never in a script, a style, an unquoted attribute or a URL's scheme.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): SafeHtml {
  return SafeHtml.fromTemplate(parts, values);
}

export interface HtmlPage {
  readonly lang?: string;
  readonly title: string;
  /** literal CSS of the program; allowed by its hash */
  readonly style?: string;
  readonly body: SafeHtml;
}

/**
 * A whole page with the headers that belong to it. No script can run on it, whatever its text holds; it cannot be
 * framed, cached, or leak its address (which may hold a secret) to another site.
 * @source CSP Level 3, T3.12
 */
export function renderPage(page: HtmlPage): {
  readonly headers: Record<string, string>;
  readonly html: string;
} {
  const style = page.style ?? '';
  // A literal of the program; should data ever get here, it must not be able to end the element.
  if (style.includes('<')) throw new TypeError('a style sheet cannot hold markup');
  const hash = createHash('sha256').update(style, 'utf8').digest('base64');
  const lang = escapeHtml(page.lang ?? 'en');
  return {
    headers: { ...PAGE_HEADERS, 'content-security-policy': contentSecurityPolicy(`'sha256-${hash}'`) },
    html:
      `<!doctype html><html lang="${lang}"><head><meta charset="utf-8">` +
      '<meta name="viewport" content="width=device-width, initial-scale=1">' +
      `<title>${escapeHtml(page.title)}</title><style>${style}</style></head>` +
      `<body>${page.body.toString()}</body></html>`,
  };
}

/** Headers of every server-rendered page but its policy. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
};

/** The strict policy: nothing is loaded, nothing runs, forms go home. @param style source of the one style sheet */
export function contentSecurityPolicy(style: string): string {
  return [
    "default-src 'none'",
    `style-src ${style}`,
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
