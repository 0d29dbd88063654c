import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accessibilityProblems, focusIsVisible, tabTo } from '../../browser/accessibility.ts';
import { act, actions, addPhotos, fill, openForm, openTicket, signIn } from '../../browser/console.ts';
import { verifies } from '../../requirements.ts';
import { photo } from '../../scenario/people.ts';
import { launchBrowser, overflow, PHONE, type Visitor, visit } from '../../support/real-browser.ts';
import { freePortBase, type System, startSystem } from '../../support/system.ts';

/** One ticket as people live it, each with a browser of their own, against a whole system. */
let stateDir: string;
let system: System;
let browser: Browser;
const visitors: Visitor[] = [];
let simulator: Page;
let dana: Page;
let tom: Page;
let reference: string;
let failed: string | null = null;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-browser-'));
  system = await startSystem({ stateDir, portBase: await freePortBase() });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await system?.stop();
  await rm(stateDir, { recursive: true, force: true });
});

async function newVisitor(options: Parameters<typeof visit>[1] = {}): Promise<Page> {
  const visitor = await visit(browser, options);
  visitors.push(visitor);
  return visitor.page;
}

/** Signs in through the link that the system printed for this person. */
async function enter(slug: string, options: Parameters<typeof visit>[1] = {}): Promise<Page> {
  const page = await newVisitor(options);
  await signIn(page, printed(new RegExp(`${slug}\\s+(http\\S+)`)));
  return page;
}

function printed(pattern: RegExp): string {
  return pattern.exec(system.output())?.[1] ?? assert.fail(`not printed: ${pattern}`);
}

const image = (note: string) => ({
  name: `${note}.png`,
  mimeType: 'image/png',
  buffer: Buffer.from(photo(note)),
});

/** The page as it is now can be used by everybody, and on a phone without scrolling sideways. */
async function assertUsable(page: Page): Promise<void> {
  assert.deepEqual(await accessibilityProblems(page), []);
  assert.equal(await overflow(page), 0, 'wider than the window');
}

const phone = (who: string) => simulator.getByRole('log', { name: `Texts of ${who}` });
const stateShown = async (page: Page, state: string) =>
  page.locator('.ticket-head').getByText(state, { exact: true }).waitFor();

/** A test that needs all before it: after a failure the rest fails at once, instead of waiting in vain. */
function chapter(name: string, run: () => Promise<void>): void {
  test(name, async () => {
    if (failed !== null) assert.fail(`not played, because of: ${failed}`);
    failed = name;
    await run();
    failed = null;
  });
}

describe('one ticket, in browsers', () => {
  chapter('the store manager texts, reads the answers and follows the link', async () => {
    verifies('T2.5');
    simulator = await newVisitor();
    await simulator.goto(printed(/mailboxes\s+(http\S+)/i));
    const field = simulator.getByRole('textbox', { name: 'Write as Store manager' });
    await field.fill("front door won't lock, we close in an hour");
    await field.press('Enter');
    await phone('Store manager')
      .getByText(/has priority EMERGENCY/)
      .waitFor();
    await assertUsable(simulator);
    const opened = simulator.waitForEvent('popup');
    await phone('Store manager').getByRole('link').first().click();
    const status = await opened;
    reference = (await status.getByRole('heading', { level: 1 }).innerText()).trim();
    assert.match(reference, /^DL-/);
    await status.getByText('We have looked at your report and are planning the work.').waitFor();
    await assertUsable(status);
    await status.close();
  });

  chapter('the dispatcher signs in once with the printed link and reads why the agent acted', async () => {
    verifies('T2.2', 'T3.12');
    dana = await enter('dana-dispatcher');
    const again = await newVisitor();
    await again.goto(printed(/dana-dispatcher\s+(http\S+)/));
    await again.getByRole('button', { name: 'Sign in' }).click();
    await again.getByRole('heading', { name: 'This link does not sign you in' }).waitFor();

    await dana.getByRole('link', { name: reference }).getByText('Emergency').waitFor();
    await assertUsable(dana);
    await openTicket(dana, reference);
    const timeline = dana.getByRole('region', { name: 'Timeline' });
    const triage = timeline.getByRole('listitem').filter({ hasText: 'Triage → Triaged' });
    await triage.getByText('The intake agent for the customer').waitFor();
    await triage.getByText('Why').click();
    await triage.getByText(/permit\.intake_for_requester/).waitFor();
    await triage.getByText('$750.00').waitFor();
    await dana
      .getByRole('region', { name: 'Conversation' })
      .getByText(/front door/)
      .waitFor();
    await assertUsable(dana);
  });

  chapter('what cannot be done now is shown with the reason, and cannot be pressed', async () => {
    const verify = actions(dana).getByRole('button', { name: /^Verify the work/ });
    assert.equal(await verify.getAttribute('aria-disabled'), 'true');
    const reason = await verify.getAttribute('aria-describedby');
    assert.equal(
      await dana.locator(`[id="${reason}"]`).innerText(),
      'Not possible in the ticket’s current state.',
    );
    assert.match(await verify.innerText(), /when To be verified/);
    await verify.click({ force: true });
    assert.equal(await dana.getByRole('form').count(), 0);
  });

  chapter(
    'the dispatcher takes the conversation over, which the customer is told, and hands it back',
    async () => {
      const talk = dana.getByRole('region', { name: 'Conversation' });
      const sends = async (action: string) => {
        await talk.getByRole('button', { name: action }).click();
        await talk.getByRole('form', { name: action }).getByRole('button', { name: action }).click();
      };
      await sends('Take over the conversation');
      await talk.getByText('A person has taken over').waitFor();
      await phone('Store manager').getByText('A person of our team reads and answers here now.').waitFor();
      await assertUsable(dana);
      await sends('Hand back to the agent');
      await talk.getByRole('button', { name: 'Take over the conversation' }).waitFor();
    },
  );

  chapter('the dispatcher opens another ticket from a list of sites, and sends the technician', async () => {
    await dana.getByRole('link', { name: 'Queue', exact: true }).click();
    await dana.getByRole('button', { name: 'Open a ticket' }).click();
    const form = dana.getByRole('form', { name: 'Open a ticket' });
    await fill(form, { Site: 'store-114', 'What is wrong (optional)': 'The back door slams.' });
    await form.getByRole('button', { name: 'Open a ticket' }).click();
    await dana.getByRole('link', { name: 'the new ticket' }).click();
    await stateShown(dana, 'New');
    await dana.getByRole('link', { name: 'Back to the queue' }).click();
    await openTicket(dana, reference);
    const filled = {
      Technician: 'tom-technician · Locksmith · Doors · Rolling doors',
      Reason: 'The site cannot be secured',
    };
    assert.equal(await act(dana, 'Dispatch now (emergency)', filled), 'Dispatched');
    await stateShown(dana, 'Dispatched');
    await dana.getByText('The technician accepts the visit').waitFor();
  });

  chapter('the technician accepts and checks in on a phone, with the keyboard alone', async () => {
    tom = await enter('tom-technician', { viewport: PHONE });
    await tom.getByRole('link', { name: reference }).waitFor();
    await assertUsable(tom);
    await tom.reload();
    await tom.getByRole('link', { name: reference }).waitFor();
    for (let press = 0; press < 20; press += 1) {
      await tom.keyboard.press('Tab');
      if (await tom.getByRole('link', { name: reference }).evaluate((node) => node.matches(':focus'))) break;
    }
    await tom.keyboard.press('Enter');
    for (const [action, state] of [
      ['Accept the visit', 'Dispatched'],
      ['Check in', 'On site'],
    ] as const) {
      await actions(tom).getByRole('button', { name: action }).waitFor();
      await tabTo(tom, action);
      assert.ok(await focusIsVisible(tom), `the focus on ${action} can be seen`);
      await tom.keyboard.press('Enter');
      const form = tom.getByRole('form', { name: action });
      await form.waitFor();
      await tom.keyboard.press('Enter');
      await actions(tom).getByText(`The ticket is now: ${state}`).waitFor();
    }
    await assertUsable(tom);
  });

  chapter('starting without the photos is refused in words; with them it is done', async () => {
    verifies('T2.2');
    const form = await openForm(tom, 'Start work');
    await form.getByRole('button', { name: 'Start work' }).click();
    const alert = form.getByRole('alert');
    await alert.getByText('Required evidence is still missing.').waitFor();
    await alert.getByText('Before: site overview, Before: opening, Before: failed lock').waitFor();
    await stateShown(tom, 'On site');
    await addPhotos(tom, {
      'Before: site overview': image('overview'),
      'Before: opening': image('opening'),
      'Before: failed lock': image('lock'),
    });
    const seen = tom.getByRole('img', { name: 'Photo: Before: opening' });
    await seen.scrollIntoViewIfNeeded();
    await tom.waitForFunction('[...document.images].every((image) => image.complete)');
    assert.equal(
      await seen.evaluate((node) => (node as unknown as { naturalWidth: number }).naturalWidth),
      1,
    );
    assert.equal(await act(tom, 'Start work'), 'In progress');
    await assertUsable(tom);
  });

  chapter('the technician asks for more money; the page then says who decides', async () => {
    await addPhotos(tom, { 'Change: found condition': image('cracked') });
    const asked = await act(tom, 'Request a change', {
      Kind: 'More money',
      'What it is': 'Part',
      Quantity: '1',
      'Price each': '200',
      'Already spent': 'No',
      'Part number (optional)': 'LKB-200',
      '4. Change: found condition': 'yes',
      Reason: 'The lock body is cracked.',
    });
    assert.equal(asked, 'Waiting for approval');
    await tom.getByText('The approver decides').first().waitFor();
    await assertUsable(tom);
  });

  chapter('the approver opens the link from the phone, gets a code by mail and approves', async () => {
    verifies('T3.2', 'T3.4');
    const opened = simulator.waitForEvent('popup');
    await phone('Facility approver').getByRole('link').last().click();
    const page = await opened;
    await page.setViewportSize(PHONE);
    await page.getByRole('heading', { name: 'Raise the not-to-exceed amount' }).waitFor();
    await page.getByText('$950.00').waitFor();
    await assertUsable(page);
    await page.getByRole('button', { name: 'Send me a code' }).click();
    const mail = simulator.getByRole('log', { name: 'Mail of Facility approver' });
    await mail.getByText(/Your code: \d{8}/).waitFor();
    const code = /Your code: (\d{8})/.exec(await mail.innerText())?.[1] ?? '';
    await page.getByLabel('Code from the e-mail').fill(code);
    await page.getByLabel('Approve').check();
    await assertUsable(page);
    await page.getByRole('button', { name: 'Send my decision' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    await page.getByText('In progress', { exact: true }).waitFor();
    await assertUsable(page);
    await page.close();
    for (const watching of [dana, tom]) {
      await stateShown(watching, 'In progress');
      await watching.getByRole('region', { name: 'Summary' }).getByText('$950.00').waitFor();
    }
  });

  chapter('the technician proves the work and hands it in', async () => {
    await act(tom, 'Record a part', { 'Part number': 'LKB-200', Quantity: '1', 'Price each': '420.50' });
    await act(tom, 'Record time', { Minutes: '90' });
    await act(tom, 'Record a test', {
      Test: 'Lock and unlock, five times',
      Passed: 'Yes',
      'Measured value (optional)': '5',
    });
    await act(tom, 'Record a test', { Test: 'The exit still opens', Passed: 'Yes' });
    await addPhotos(tom, {
      'After: secured outside': image('outside'),
      'After: secured inside': image('inside'),
    });
    const done = await act(tom, 'Complete the work', {
      Outcome: 'Resolved',
      'Found, done, left': 'Found the latch retracted, replaced the lock body, left it working.',
      Kind: 'Signed',
      'Name of who signed, or why nobody could': 'The store manager',
    });
    assert.equal(done, 'To be verified');
    await assertUsable(tom);
  });

  chapter('quality fails it, the technician remedies, quality passes it', async () => {
    const quinn = await enter('quinn-qa');
    await openTicket(quinn, reference);
    await act(quinn, 'Verify the work', {
      Result: 'Fail',
      'After: secured inside': 'yes',
      'How (optional)': 'Remedy from where they are',
    });
    const failed = quinn.getByRole('region', { name: 'Timeline' }).getByRole('listitem').first();
    await failed.getByText('Verify the work').waitFor();
    await addPhotos(tom, { 'After: secured inside': image('again') });
    await act(tom, 'Submit remedies', {
      For: 'After: secured inside',
      'Photo (optional)': '7. After: secured inside',
    });
    assert.equal(await act(quinn, 'Verify the work', { Result: 'Pass' }), 'Verified');
    await assertUsable(quinn);
  });

  chapter('finance makes, issues and books the invoice, and closes the ticket', async () => {
    const fay = await enter('fay-finance', { colorScheme: 'dark' });
    await openTicket(fay, reference);
    await act(fay, 'Make the invoice');
    await fay.getByText('Finance issues the invoice').waitFor();
    await act(fay, 'Issue the invoice');
    const total = /Issued · \$([\d.,]+)/.exec(
      await fay.getByRole('region', { name: 'Summary' }).innerText(),
    )?.[1];
    const payment = await openForm(fay, 'Record the payment');
    assert.equal(await payment.getByLabel('Amount').inputValue(), total?.replace(',', ''));
    await act(fay, 'Record the payment', { 'Paid by': 'Bank transfer (ACH)' });
    assert.equal(await act(fay, 'Close the ticket'), 'Closed');
    await assertUsable(fay);
    await phone('Store manager')
      .getByText(/has handed in the work/)
      .waitFor();
  });

  chapter('the shift lead is offered times by text, and taps one on the page behind the link', async () => {
    verifies('T1.10', 'T3.12');
    const field = simulator.getByRole('textbox', { name: 'Write as Shift lead' });
    await field.fill('the closer on the back door leaks oil, nobody was hit, it is not a fire door');
    await field.press('Enter');
    const texts = phone('Shift lead');
    const offer = texts.locator('.bubble').filter({ hasText: /when may we come\? 1: / });
    await offer.waitFor();
    const opened = simulator.waitForEvent('popup');
    await offer.getByRole('link').click();
    const times = await opened;
    await times.setViewportSize(PHONE);
    await times.getByText('When may we come?', { exact: true }).waitFor();
    assert.equal(await times.getByRole('button').count(), 4);
    await assertUsable(times);
    const second = times.getByRole('button').nth(1);
    const words = await second.innerText();
    await second.click();
    await times.getByText(`You chose ${words}.`).waitFor();
    await assertUsable(times);
    await texts.getByText(`we come on ${words}.`).waitFor();
    await times.close();
  });

  test('no page complained: no script failed, no policy was broken', () => {
    assert.deepEqual(
      visitors.flatMap(({ complaints }) => complaints),
      [],
    );
  });
});
