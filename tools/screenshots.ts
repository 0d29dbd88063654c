/**
 * `npm run screenshots`: plays the first half of a ticket against a system of its own and takes the pictures of the
 * main screens that README shows, at 1440 and 390 px, into `docs/images/`. Look at them before committing.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import { act, addPhotos, openForm, openTicket, type PhotoFile, signIn } from '../test/browser/console.ts';
import { launchBrowser, PHONE, visit, WIDE } from '../test/support/real-browser.ts';
import { freePortBase, type System, startSystem } from '../test/support/system.ts';

const OUT = join(import.meta.dirname, '../docs/images');
/** A repository is cloned by everybody who looks at it. */
const MAX_BYTES = 200_000;
/** Tall enough for a ticket with its timeline. */
const TALL = { width: WIDE.width, height: 1_330 } as const;

async function main(): Promise<void> {
  await mkdir(OUT, { recursive: true });
  const stateDir = await mkdtemp(join(tmpdir(), 'deadlatch-pictures-'));
  try {
    const system = await startSystem({ stateDir, portBase: await freePortBase() });
    try {
      const browser = await launchBrowser();
      await play(system, browser).finally(() => browser.close());
    } finally {
      await system.stop();
    }
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function play(system: System, browser: Browser): Promise<void> {
  const at = (pattern: RegExp) => pattern.exec(system.output())?.[1] ?? '';
  const open = async (viewport: { width: number; height: number } = WIDE) =>
    (await visit(browser, { viewport })).page;
  const enter = async (slug: string, viewport?: { width: number; height: number }) => {
    const page = await open(viewport);
    await signIn(page, at(new RegExp(`${slug}\\s+(http\\S+)`)));
    return page;
  };
  const simulator = await open();
  await simulator.goto(at(/mailboxes\s+(http\S+)/i));
  await write(simulator, 'Store manager', "front door won't lock, we close in an hour");
  await simulator.getByText(/has priority EMERGENCY/).waitFor();

  const dana = await enter('dana-dispatcher', TALL);
  await dispatch(dana);
  await work(await enter('tom-technician', PHONE), browser);
  await approve(simulator, await open(PHONE));

  const talk = simulator.getByRole('log', { name: 'Texts of Store manager' });
  await simulator.setViewportSize({ ...WIDE, height: 800 });
  await talk.evaluate((node) => node.scrollTo(0, 0));
  await picture(simulator, 'simulator-1440');
  await simulator.setViewportSize(PHONE);
  // On a real phone the guide starts closed.
  await simulator.getByText('What to try').click();
  await talk.evaluate((node) => node.scrollTo(0, 0));
  await picture(simulator, 'simulator-390');

  await simulator.setViewportSize(WIDE);
  await write(simulator, 'Shift lead', 'the back door slams shut, the closer is leaking');
  await dana.getByRole('link', { name: 'Back to the queue' }).click();
  await dana.getByRole('link', { name: /Closer/ }).waitFor();
  await dana.setViewportSize({ ...WIDE, height: 480 });
  await picture(dana, 'queue-1440');
  await dana.setViewportSize(PHONE);
  await picture(dana, 'queue-390');
}

async function dispatch(dana: Page): Promise<void> {
  await dana.getByRole('link', { name: /Emergency/ }).click();
  await dana.getByRole('heading', { name: 'What you can do' }).waitFor();
  const triaged = dana.getByRole('listitem').filter({ hasText: 'Triage → Triaged' });
  await triaged.getByText('Why').click();
  await picture(dana, 'ticket-1440');
  const form = await openForm(dana, 'Dispatch now (emergency)');
  const names = await form.getByLabel('Technician').locator('option').allInnerTexts();
  await act(dana, 'Dispatch now (emergency)', {
    Technician: names.find((name) => name.startsWith('tom-')) ?? '',
    Reason: 'The site cannot be secured',
  });
}

async function work(tom: Page, browser: Browser): Promise<void> {
  await openTicket(tom);
  await act(tom, 'Accept the visit');
  await act(tom, 'Check in');
  await addPhotos(tom, {
    'Before: site overview': await drawDoor(browser, OPEN_DOOR),
    'Before: opening': await drawDoor(browser, OPEN_DOOR),
    'Before: failed lock': await drawDoor(browser, FAILED_LOCK),
  });
  await act(tom, 'Start work');
  await picture(tom, 'technician-390');
  const evidence = tom.getByRole('region', { name: 'Evidence' });
  await evidence.scrollIntoViewIfNeeded();
  await tom.waitForFunction('[...document.images].every((image) => image.complete)');
  await picture(tom, 'technician-evidence-390', evidence);
  await addPhotos(tom, { 'Change: found condition': await drawDoor(browser, FAILED_LOCK) });
  await act(tom, 'Request a change', {
    Kind: 'More money',
    'What it is': 'Part',
    Quantity: '1',
    'Price each': '200',
    'Already spent': 'No',
    'Part number (optional)': 'LKB-200',
    '4. Change: found condition': 'yes',
    Reason: 'The lock body is cracked and has to be replaced.',
  });
}

async function approve(simulator: Page, alan: Page): Promise<void> {
  const asked = simulator.getByRole('log', { name: 'Texts of Facility approver' });
  await alan.goto((await asked.getByRole('link').last().getAttribute('href')) ?? '');
  await picture(alan, 'approval-390');
  await alan.getByRole('button', { name: 'Send me a code' }).click();
  await simulator.getByText(/Your code: \d{8}/).waitFor();
  await alan.setViewportSize({ ...WIDE, height: 820 });
  await picture(alan, 'approval-1440');
}

async function write(simulator: Page, who: string, text: string): Promise<void> {
  const field = simulator.getByRole('textbox', { name: `Write as ${who}` });
  await field.fill(text);
  await field.press('Enter');
}

/** A drawing that stands for a photo; nobody's door. */
async function drawDoor(browser: Browser, drawn: string): Promise<PhotoFile> {
  const { page } = await visit(browser, { viewport: { width: 320, height: 240 } });
  await page.setContent(drawn);
  const buffer = await page.screenshot();
  await page.context().close();
  return { name: 'photo.png', mimeType: 'image/png', buffer };
}

const drawing = (content: string) =>
  `<body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">${content}</svg>`;
const OPEN_DOOR =
  drawing(`<rect width="320" height="240" fill="#9aa7b0"/><rect y="190" width="320" height="50" fill="#5b5f63"/>
<rect x="90" y="25" width="140" height="175" fill="#2d3338"/><path d="M98 33h62v167H98z" fill="#11161a"/>
<path d="M160 33l62 12v155h-62z" fill="#b9d3dd"/><path d="M160 33l62 12v155h-62z" fill="none" stroke="#6a737a" stroke-width="6"/>
<circle cx="172" cy="122" r="5" fill="#d9a441"/>`);
const FAILED_LOCK =
  drawing(`<rect width="320" height="240" fill="#c3c8cb"/><rect x="120" width="90" height="240" fill="#8d969c"/>
<rect x="140" y="50" width="50" height="140" rx="8" fill="#d9b25f"/><circle cx="165" cy="95" r="15" fill="#6b5420"/>
<path d="M161 95h8l4 28h-16z" fill="#2e2409"/><path d="M144 150l14 12-8 10 16 16" fill="none" stroke="#3b2c05" stroke-width="4"/>
<rect x="190" y="108" width="14" height="22" fill="#5b4a20"/>`);

/**
 * @param at what stands at the lower edge; the top of the page when absent
 * @throws Error when the picture is larger than a repository should hold
 */
async function picture(page: Page, name: string, at?: Locator): Promise<void> {
  const path = join(OUT, `${name}.png`);
  await page.mouse.move(0, 0);
  // Nothing hovered and nothing focused, as somebody sees a page who has just opened it.
  await page.evaluate('document.activeElement?.blur(); scrollTo(0, 0)');
  await at?.evaluate((node) => node.scrollIntoView({ block: 'end' }));
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  const { size } = await stat(path);
  process.stdout.write(`docs/images/${name}.png ${Math.round(size / 1_000)} kB\n`);
  if (size > MAX_BYTES) throw new Error(`${name}.png is larger than ${MAX_BYTES} bytes`);
}

await main();
