import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from 'playwright-core';

/** Somebody with a browser of their own, and everything it complained about. */
export interface Visitor {
  readonly page: Page;
  /** What no page of ours may cause: errors and warnings of the console, scripts that threw, broken policies. */
  readonly complaints: readonly string[];
}

export const WIDE = { width: 1440, height: 900 } as const;
export const PHONE = { width: 390, height: 844 } as const;
const PATIENCE_MS = 15_000;
/** The browser itself notes every answer of 4xx; what was refused, and why, is asserted where it happens. */
const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** Starts the Chromium that came with the development dependencies. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own arguments: they switch web security off, which is what is looked at here.
    args: ['--no-sandbox', '--disable-gpu'],
    headless: true,
  });
}

/** Opens a browser of its own for one person; the context dies with the browser. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: WIDE,
    locale: 'en-US',
    timezoneId: 'America/Chicago',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    const isComplaint = message.type() === 'error' || message.type() === 'warning';
    if (isComplaint && !REFUSED.test(message.text())) complaints.push(message.text());
  });
  return { page, complaints };
}

/** How far the page is wider than the window, in pixels; 0 when nothing must be scrolled sideways. */
export function overflow(page: Page): Promise<number> {
  // As text: these checks are compiled without the types of a browser.
  return page.evaluate<number>(
    'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)',
  );
}
