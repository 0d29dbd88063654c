import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';
import { SMTPServer } from 'smtp-server';
import { verifies } from '../../../../test/requirements.ts';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { seedTenant } from '../../../../test/support/seed.ts';
import { stageApproval } from '../testing/approvals.ts';
import { newestCode, otherCode } from '../testing/browser.ts';
import { startWorld, type World } from '../testing/world.ts';

let world: World;
let browser: Browser;
let origin: string;
before(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  world = await startWorld({ database: await createTestDatabase(), seedTenant, SMTPServer, port });
  browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    // Not the package's own arguments: they switch web security off, which is what is looked at here.
    args: ['--no-sandbox', '--disable-gpu'],
    headless: true,
  });
});
after(async () => {
  await browser?.close();
  await world?.close();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('the approval page in a real browser', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`is decided on a small screen, without scripts, with the keyboard (${colorScheme})`, async () => {
      verifies('T3.2', 'T3.3', 'T3.9');
      const approval = await stageApproval(world);
      const context = await browser.newContext({
        javaScriptEnabled: false,
        viewport: { width: 390, height: 844 },
        colorScheme,
      });
      const complaints: string[] = [];
      const page = await context.newPage();
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(`${origin}/approve/${approval.secret}`);
      assert.equal(await page.title(), 'Approval – Deadlatch');
      await page.getByRole('button', { name: 'Send me a code' }).press('Enter');
      const code = newestCode(world);
      await page.getByLabel('Code from the e-mail').fill(otherCode(code));
      await page.getByLabel('Decline').check();
      await page.getByRole('button', { name: 'Send my decision' }).press('Enter');
      await page.getByRole('alert').waitFor();
      await page.getByLabel('Code from the e-mail').fill(code);
      await page.getByLabel('Approve').check();
      const box = await page.locator('main').boundingBox();
      assert.ok((box?.width ?? 999) <= 390);
      await page.getByRole('button', { name: 'Send my decision' }).press('Enter');
      await page.getByRole('heading', { name: 'Approved' }).waitFor();
      assert.equal(world.dispatchApi.decisions.at(-1)?.approvalId, approval.approvalId);
      const [cookie] = await context.cookies();
      assert.equal(cookie?.httpOnly, true);
      assert.equal(cookie?.sameSite, 'Strict');
      assert.equal(cookie?.path, '/approve');
      // A 403 for the wrong code is a line of the browser's own; anything else is a broken policy.
      assert.deepEqual(
        complaints.filter((text) => !text.includes('403')),
        [],
      );
      await context.close();
    });
  }
});
