import { readFile } from 'node:fs/promises';

/** One file of the page as it is served. */
export interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly content: Buffer;
}

const FILES: readonly (readonly [path: string, file: string, contentType: string])[] = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/style.css', 'style.css', 'text/css; charset=utf-8'],
  ['/client.js', 'client.js', 'text/javascript; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
];

/** Own files only: texts in the page are untrusted, and nothing they hold may run or load. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** Reads the page's files once, at start. @throws Error when one is missing */
export function loadPageFiles(): Promise<readonly PageFile[]> {
  return Promise.all(
    FILES.map(async ([path, file, contentType]) => ({
      path,
      contentType,
      content: await readFile(new URL(`../page/${file}`, import.meta.url)),
    })),
  );
}
