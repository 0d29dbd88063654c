import { toInstant } from '@deadlatch/kernel';
import type { Person } from './people.ts';

/** A bubble in somebody's phone. `sent` = the person wrote it. */
export interface Bubble {
  readonly sid: string;
  readonly direction: 'sent' | 'received';
  readonly body: string;
  readonly at: string;
  /** What became of it: for `sent`, whether the gateway took it. */
  readonly status: 'sending' | 'taken' | 'refused' | 'received';
}

export interface Mail {
  readonly id: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly at: string;
}

export interface PhoneView {
  readonly slug: string;
  readonly label: string;
  readonly phone: string;
  readonly messages: readonly Bubble[];
}

export interface MailboxView {
  readonly slug: string;
  readonly label: string;
  readonly email: string;
  readonly mails: readonly Mail[];
}

/** All phones and mailboxes of the demo: in memory, the oldest entries fall out. */
export interface World {
  phones(): readonly PhoneView[];
  phone(slug: string): PhoneView | undefined;
  phoneByNumber(number: string): PhoneView | undefined;
  mailboxes(): readonly MailboxView[];
  mailbox(slug: string): MailboxView | undefined;
  hasAddress(email: string): boolean;
  addBubble(slug: string, bubble: Omit<Bubble, 'at'>): void;
  setStatus(slug: string, sid: string, status: Bubble['status']): void;
  /** False when nobody has the address. */
  addMail(email: string, mail: Omit<Mail, 'at'>): boolean;
  /** Calls `listener` after every change. @returns how to stop it */
  watch(listener: () => void): () => void;
}

const MAX_BUBBLES = 300;
const MAX_MAILS = 100;

export function createWorld(people: readonly Person[], now: () => number): World {
  const phones = new Map<string, { view: Omit<PhoneView, 'messages'>; messages: Bubble[] }>();
  const mailboxes = new Map<string, { view: Omit<MailboxView, 'mails'>; mails: Mail[] }>();
  const listeners = new Set<() => void>();
  for (const { slug, label, phone, email } of people) {
    if (phone !== null) phones.set(slug, { view: { slug, label, phone }, messages: [] });
    if (email !== null) mailboxes.set(slug, { view: { slug, label, email }, mails: [] });
  }
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const phoneViews = (): PhoneView[] =>
    [...phones.values()].map(({ view, messages }) => ({ ...view, messages: [...messages] }));
  const mailboxViews = (): MailboxView[] =>
    [...mailboxes.values()].map(({ view, mails }) => ({ ...view, mails: [...mails] }));

  return {
    phones: phoneViews,
    phone: (slug) => phoneViews().find((view) => view.slug === slug),
    phoneByNumber: (number) => phoneViews().find((view) => view.phone === number),
    mailboxes: mailboxViews,
    mailbox: (slug) => mailboxViews().find((view) => view.slug === slug),
    hasAddress: (email) => mailboxViews().some((view) => view.email === email.toLowerCase()),
    addBubble: (slug, bubble) => {
      const messages = phones.get(slug)?.messages;
      if (messages === undefined) return;
      messages.push({ ...bubble, at: toInstant(now()) });
      if (messages.length > MAX_BUBBLES) messages.shift();
      changed();
    },
    setStatus: (slug, sid, status) => {
      const messages = phones.get(slug)?.messages ?? [];
      const index = messages.findIndex((bubble) => bubble.sid === sid && bubble.direction === 'sent');
      const bubble = messages[index];
      if (bubble === undefined) return;
      messages[index] = { ...bubble, status };
      changed();
    },
    addMail: (email, mail) => {
      const mails = [...mailboxes.values()].find(({ view }) => view.email === email.toLowerCase())?.mails;
      if (mails === undefined) return false;
      mails.push({ ...mail, at: toInstant(now()) });
      if (mails.length > MAX_MAILS) mails.shift();
      changed();
      return true;
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
