import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** WCAG 2.2 A and AA; the rules themselves are axe's. */
const OPTIONS = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  resultTypes: ['violations'],
};

/**
 * What axe finds wrong with the page as it is shown, one line each; empty when nothing is.
 * The script comes in through the debugger, so the page's own policy stays as strict as it is.
 */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(
    `axe.run(document, ${JSON.stringify(OPTIONS)}).then((found) => found.violations.flatMap((rule) =>
      rule.nodes.map((node) => rule.id + ': ' + node.target.join(' ') + ' ' + (node.any[0]?.message ?? rule.help))))`,
  );
}

/** Whether what has the focus shows it: an outline, or a border of another colour than its neighbours'. */
export async function focusIsVisible(page: Page): Promise<boolean> {
  return page.evaluate<boolean>(
    `(() => { const style = getComputedStyle(document.activeElement);
      return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; })()`,
  );
}

/** Presses Tab until the element with this name has the focus. @throws Error when it never gets it */
export async function tabTo(page: Page, name: string): Promise<void> {
  const seen: string[] = [];
  for (let press = 0; press < 60; press += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>(
      `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`,
    );
    if (focused === name) return;
    seen.push(focused.slice(0, 40));
  }
  throw new Error(`Tab never came to "${name}", but to ${seen.join(' | ')}`);
}
