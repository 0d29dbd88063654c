import { setTimeout as sleep } from 'node:timers/promises';

/** An answer of the system as somebody outside sees it. */
export interface Seen {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Keeps cookies per origin and speaks JSON and forms: as much of a browser as these pages need. */
export interface Browser {
  get(url: string): Promise<Seen>;
  postForm(url: string, fields: Readonly<Record<string, string>>): Promise<Seen>;
  postJson(url: string, value: unknown, headers?: Readonly<Record<string, string>>): Promise<Seen>;
  sendBytes(
    method: 'PUT' | 'PATCH',
    url: string,
    bytes: Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Seen>;
}

export function createBrowser(): Browser {
  const jar = new Map<string, Map<string, string>>();
  const send = async (url: string, init: RequestInit): Promise<Seen> => {
    const { host, origin } = new URL(url);
    const cookies = jar.get(host) ?? new Map<string, string>();
    jar.set(host, cookies);
    const headers = new Headers(init.headers);
    headers.set('origin', origin);
    if (cookies.size > 0) headers.set('cookie', [...cookies].map(([k, v]) => `${k}=${v}`).join('; '));
    const response = await fetch(url, {
      ...init,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const text = await response.text();
    const location = response.headers.get('location');
    if (location !== null && response.status >= 300 && response.status < 400) {
      return send(new URL(location, url).href, { method: 'GET' });
    }
    return { status: response.status, text, body: asObject(text) };
  };
  return {
    get: (url) => send(url, { method: 'GET' }),
    postForm: (url, fields) =>
      send(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    postJson: (url, value, headers = {}) =>
      send(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(value),
      }),
    sendBytes: (method, url, bytes, headers = {}) =>
      send(url, { method, headers: { ...headers }, body: new Uint8Array(bytes) }),
  };
}

function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Form fields that a page holds in `<input type="hidden">`. */
export function hiddenFields(page: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of page.matchAll(/<input\b[^>]*>/g)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1];
    const value = /\bvalue="([^"]*)"/.exec(tag)?.[1];
    if (/\btype="hidden"/.test(tag) && name !== undefined) fields[name] = value ?? '';
  }
  return fields;
}

/**
 * Looks again until there is something.
 * @param what named in the error when there never was
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(100);
  }
}
