import type { Locator, Page } from 'playwright-core';

/** What a form is filled with: the label of each field and what a person chooses or types there. */
export type Filled = Readonly<Record<string, string>>;

/** Signs in through the page behind a link, with the button on it. */
export async function signIn(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Opens the only ticket in the list, or the one with this reference. */
export async function openTicket(page: Page, reference?: string): Promise<void> {
  await page.getByRole('link', { name: reference ?? /^DL-/ }).click();
  await page.getByRole('heading', { name: 'What you can do' }).waitFor();
}

export function actions(page: Page): Locator {
  return page.getByRole('region', { name: 'What you can do' });
}

/**
 * Presses an action's button, fills its form and sends it.
 * @returns the state that the page then says the ticket is in
 */
export async function act(page: Page, action: string, filled: Filled = {}): Promise<string> {
  const form = await openForm(page, action);
  await fill(form, filled);
  await form.getByRole('button', { name: action, exact: true }).click();
  const done = actions(page).getByText(/The ticket is now:/);
  await done.waitFor();
  return (await done.locator('strong').innerText()).trim();
}

/** Opens an action's form, unless it is open. */
export async function openForm(page: Page, action: string): Promise<Locator> {
  const form = page.getByRole('form', { name: action, exact: true });
  if (!(await form.isVisible())) {
    await actions(page).getByRole('button', { name: action, exact: true }).click();
  }
  await form.waitFor();
  return form;
}

export async function fill(form: Locator, filled: Filled): Promise<void> {
  for (const [label, value] of Object.entries(filled)) {
    const field = form.getByLabel(label, { exact: true });
    const tag = await field.evaluate((node) => `${node.tagName} ${node.getAttribute('type') ?? ''}`);
    if (tag.startsWith('SELECT')) await field.selectOption({ label: value });
    else if (tag === 'INPUT checkbox') await field.check();
    else await field.fill(value);
  }
}

export interface PhotoFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Adds photos through the file input, one after the other, and closes the form. */
export async function addPhotos(page: Page, photos: Readonly<Record<string, PhotoFile>>): Promise<void> {
  await actions(page).getByRole('button', { name: 'Add a photo' }).click();
  const form = page.getByRole('form', { name: 'Add a photo' });
  for (const [what, file] of Object.entries(photos)) {
    await form.getByLabel('What the photo shows').selectOption({ label: what });
    const chosen = page.waitForEvent('filechooser');
    await form.getByLabel('Photo', { exact: true }).click();
    await (await chosen).setFiles(file);
    await form.getByRole('button', { name: 'Upload' }).click();
    await form.getByText('Stored and checked.').waitFor();
  }
  await form.getByRole('button', { name: 'Close' }).click();
}
