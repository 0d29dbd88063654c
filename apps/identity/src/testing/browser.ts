import { ORIGIN, type World } from './world.ts';

export interface Page {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Just enough of a browser: one cookie jar, forms of our own origin, redirects followed with GET. */
export interface Browser {
  readonly cookies: Map<string, string>;
  open(secret: string): Promise<Page>;
  /** Posts a form as a browser on our own page would. @param headers replaces or adds headers */
  post(
    path: string,
    fields: Readonly<Record<string, string>> | string,
    headers?: Record<string, string>,
  ): Promise<Page>;
  sendCode(secret: string): Promise<Page>;
  decide(secret: string, page: Page, code: string, decision?: string): Promise<Page>;
}

export function openBrowser(world: World): Browser {
  const cookies = new Map<string, string>();
  const call = async (path: string, init: RequestInit): Promise<Page> => {
    const headers = new Headers(init.headers);
    if (cookies.size > 0)
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(`${world.url}${path}`, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = (line.split(';', 1)[0] ?? '').split('=');
      cookies.set(name ?? '', value ?? '');
    }
    const text = await response.text();
    const location = response.headers.get('location');
    if (response.status === 303 && location !== null) return call(location, {});
    return { status: response.status, text, headers: response.headers };
  };
  const browser: Browser = {
    cookies,
    open: (secret) => call(`/approve/${secret}`, {}),
    post: (path, fields, headers = {}) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: ORIGIN, ...headers },
        body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
      }),
    sendCode: (secret) => browser.post(`/approve/${secret}/code`, {}),
    decide: (secret, page, code, decision = 'APPROVE') =>
      browser.post(`/approve/${secret}/decide`, { decision, code, csrf: csrfOf(page) }),
  };
  return browser;
}

/** The token in the page's form; empty when the page has no such form. */
export function csrfOf(page: Page): string {
  return /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
}

/** The code in the newest mail. */
export function newestCode(world: World): string {
  return /Your code: ([0-9]{8})/.exec(world.mail.mails.at(-1)?.text ?? '')?.[1] ?? '';
}

/** Some code that is not this one. */
export function otherCode(code: string, step = 1): string {
  return String((Number(code) + step) % 100_000_000).padStart(8, '0');
}
