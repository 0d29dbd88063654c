import assert from 'node:assert/strict';
import { type Browser, newestCode, openBrowser, type Page } from './browser.ts';
import type { StagedApproval } from './peers.ts';
import type { World } from './world.ts';

/** Puts an approval on the small dispatch-api, for somebody with an address on file. */
export async function stageApproval(
  world: World,
  given: Partial<StagedApproval> = {},
): Promise<StagedApproval> {
  const approval = world.dispatchApi.stage(given);
  await world.enrol(approval.contactId, 'alan@stores.example');
  return approval;
}

/** A browser that has asked for a code and sees the form for it. */
export async function askForCode(
  world: World,
  approval: StagedApproval,
): Promise<{ browser: Browser; page: Page; code: string }> {
  const browser = openBrowser(world);
  const page = await browser.sendCode(approval.secret);
  assert.equal(page.status, 200, page.text);
  assert.match(page.text, /Enter your code/);
  return { browser, page, code: newestCode(world) };
}

/** Everything that is kept about approvals, for "nothing changed". */
export async function keptOf(world: World): Promise<unknown> {
  const { rows } = await world.admin.query(`
    select (select count(*)::int from identity.step_ups) as codes,
           (select coalesce(sum(tries), 0)::int from identity.code_tries) as tries,
           (select count(*)::int from identity.code_tries where locked_at is not null) as locks,
           (select count(*)::int from identity.used_grants) as grants,
           (select count(*)::int from audit.events where origin = 'identity' and command <> 'address.commit') as events`);
  return { ...(rows[0] as object), mails: world.mail.mails.length, reveals: world.vault.reveals.length };
}
