import { randomUUID } from 'node:crypto';
import { type Browser, createBrowser, hiddenFields, type Seen, until } from './browser.ts';
import { type Person, photo, type Sent, sha256 } from './people.ts';

/** Where the outside world meets the system; all of it public. */
export interface Addresses {
  readonly web: string;
  readonly identity: string;
  readonly gateway: string;
  readonly simulator: string;
}

/** What the play needs of a running system. */
export interface Stage {
  readonly at: Addresses;
  /** Signs in at the console; the same person twice is the same browser. */
  as(slug: string): Promise<Person>;
  readonly phones: Phones;
  /** Ids of demo people by slug. */
  readonly ids: Readonly<Record<string, string>>;
  /** Every command that was sent, in order. */
  readonly sent: readonly Sent[];
}

export interface PhoneMessage {
  readonly direction: 'sent' | 'received';
  readonly body: string;
  readonly at: string;
}

/** The simulator's phones and mailboxes, over its public page's interface. */
export interface Phones {
  text(slug: string, body: string): Promise<void>;
  received(slug: string): Promise<readonly PhoneMessage[]>;
  /** The next text after `count` that matches. */
  waitFor(slug: string, count: number, pattern: RegExp): Promise<PhoneMessage>;
  /** The newest mail's text, once there are more than `count`. */
  mail(slug: string, count: number): Promise<string>;
  mails(slug: string): Promise<number>;
}

export function createPhones(simulator: string): Phones {
  const browser = createBrowser();
  const phones: Phones = {
    async text(slug, body) {
      const seen = await browser.postJson(`${simulator}/api/phones/${slug}/messages`, { body });
      if (seen.status !== 200 || seen.body.status !== 200)
        throw new Error(`the carrier could not hand over: ${seen.text}`);
    },
    async received(slug) {
      const seen = await browser.get(`${simulator}/api/phones/${slug}`);
      return (seen.body.messages as PhoneMessage[]).filter((m) => m.direction === 'received');
    },
    waitFor: (slug, count, pattern) =>
      until(`a text to ${slug} like ${pattern}`, async () =>
        (await phones.received(slug)).slice(count).find((m) => pattern.test(m.body)),
      ),
    async mails(slug) {
      return mailsOf(await browser.get(`${simulator}/api/mailboxes/${slug}`)).length;
    },
    mail: (slug, count) =>
      until(`a mail to ${slug}`, async () => {
        const mails = mailsOf(await browser.get(`${simulator}/api/mailboxes/${slug}`));
        return mails.length > count ? newest(mails)?.text : undefined;
      }),
  };
  return phones;
}

interface Mail {
  readonly text: string;
  readonly at: string;
}

function mailsOf(seen: Seen): readonly Mail[] {
  return (seen.body.messages ?? seen.body.mails ?? []) as readonly Mail[];
}

function newest(mails: readonly Mail[]): Mail | undefined {
  return [...mails].sort((a, b) => (a.at < b.at ? 1 : -1))[0];
}

/** A ticket as the console shows it. */
export interface TicketView {
  readonly id: string;
  readonly reference: string;
  readonly state: string;
  readonly priority: string | null;
  readonly nte_cents: number;
  readonly version: number;
}

export async function readTicket(person: Person, id: string): Promise<TicketView> {
  const seen = await person.read(`/api/tickets/${id}`);
  if (seen.status !== 200) throw new Error(`ticket ${id}: ${seen.status} ${seen.text}`);
  return seen.body.ticket as TicketView;
}

/** Fails loudly: the play cannot go on when one of its own steps is refused. */
export function accepted(sent: Sent): Readonly<Record<string, unknown>> {
  if (sent.seen.status !== 200) {
    throw new Error(`${sent.person.slug} ${sent.command}: ${sent.seen.status} ${sent.seen.text}`);
  }
  return sent.seen.body;
}

/** Announces, uploads and finalizes one photo; answers its id. */
export async function addPhoto(person: Person, ticketId: string, key: string): Promise<string> {
  const bytes = photo(`${key} ${randomUUID()}`);
  const { evidenceId, address } = await presign(person, ticketId, key, bytes);
  const put = await person.upload(address, bytes);
  if (put.status >= 300) throw new Error(`upload of ${key}: ${put.status} ${put.text}`);
  accepted(await person.command('evidence.finalize', ticketId, { evidence_id: evidenceId }));
  return evidenceId;
}

export async function presign(
  person: Person,
  ticketId: string,
  key: string,
  bytes: Uint8Array,
): Promise<{ evidenceId: string; address: string }> {
  const answer = accepted(
    await person.command('evidence.presign', ticketId, {
      key,
      content_type: 'image/png',
      size_bytes: bytes.length,
      sha256: sha256(bytes),
    }),
  );
  const result = answer.result as { evidence_id: string; upload_url: string };
  return { evidenceId: result.evidence_id, address: `/api${result.upload_url}` };
}

/** An approver's browser on identity's page. */
export interface ApprovalVisit {
  readonly browser: Browser;
  readonly page: Seen;
  /** Asks for a code; answers what the mail says, or undefined when none was sent. */
  askForCode(): Promise<Seen>;
  decide(decision: 'APPROVE' | 'DENY', code: string): Promise<Seen>;
}

export async function openApproval(link: string): Promise<ApprovalVisit> {
  const browser = createBrowser();
  const page = await browser.get(link);
  let shown = page;
  return {
    browser,
    page,
    async askForCode() {
      shown = await browser.postForm(`${link}/code`, {});
      return shown;
    },
    async decide(decision, code) {
      const { csrf = '' } = hiddenFields(shown.text);
      return browser.postForm(`${link}/decide`, { decision, code, csrf });
    },
  };
}

export function linkIn(text: string): string {
  const link = /https?:\/\/\S+/.exec(text)?.[0];
  if (!link) throw new Error(`no link in: ${text}`);
  return link;
}

export function codeIn(mail: string): string {
  const code = /\b(\d{8})\b/.exec(mail)?.[1];
  if (!code) throw new Error('no code in the mail');
  return code;
}
