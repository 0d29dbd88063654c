import { formatUsd, refuse } from '@deadlatch/kernel';
import nodemailer from 'nodemailer';
import type { SendNotice } from './adopt-contact.ts';
import type { ActView } from './describe-act.ts';
import type { ActionView } from './describe-action.ts';

export interface CodeMail {
  readonly to: string;
  readonly code: string;
  readonly view: ActionView | ActView;
  /** Where the page is, without the secret: the mail must not be a second way in. */
  readonly pageOrigin: string;
}

export type SendCodeMail = (mail: CodeMail) => Promise<void>;

/**
 * Sends codes with identity's own sender credential, so that no other service ever sees one.
 * @param smtpUrl `smtp://…` or `smtps://…` with the credential
 * @param timeoutMs for each of connecting, greeting and silence
 * @throws DispatchError `unavailable` when the server does not take the mail
 * @source T3.9
 */
export function createCodeMailer(options: {
  readonly smtpUrl: string;
  readonly sender: string;
  readonly timeoutMs: number;
}): { readonly send: SendCodeMail; readonly sendNotice: SendNotice; close(): void } {
  const url = new URL(options.smtpUrl);
  const transport = nodemailer.createTransport({
    host: url.hostname,
    port: Number(url.port || (url.protocol === 'smtps:' ? 465 : 587)),
    secure: url.protocol === 'smtps:',
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    connectionTimeout: options.timeoutMs,
    greetingTimeout: options.timeoutMs,
    socketTimeout: options.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async (mail) => {
      try {
        await transport.sendMail({
          from: options.sender,
          // An object, not text: an address is never parsed as a list of addresses.
          to: { name: '', address: mail.to },
          subject: subjectOf(mail.view),
          text: codeMailText(mail),
        });
      } catch (cause) {
        refuse('unavailable', { detail: 'mail server did not take the code', cause });
      }
    },
    sendNotice: async (to) => {
      try {
        await transport.sendMail({
          from: options.sender,
          to: { name: '', address: to },
          subject: 'Your contact details were changed',
          text: NOTICE,
        });
      } catch (cause) {
        refuse('unavailable', { detail: 'mail server did not take the notice', cause });
      }
    },
    close: () => transport.close(),
  };
}

/** To the address that was on file, so that whoever lost it hears of it. @source T3.6 */
const NOTICE = [
  'The name, number or e-mail address that we have of you was changed.',
  'For 24 hours nothing can be approved with it.',
  'If you did not ask for this, call your dispatcher.',
  '',
].join('\n');

function subjectOf(view: CodeMail['view']): string {
  if (view.kind === 'act') return 'Your code to confirm a change';
  return `Your approval code for ${view.reference ?? 'a ticket'}`;
}

/** What the approver reads beside the code: enough to notice that the code is for something they did not open. */
export function codeMailText(mail: CodeMail): string {
  const { view } = mail;
  return [
    `Your code: ${mail.code}`,
    '',
    ...(view.kind === 'act' ? actLines(view) : moneyLines(view)),
    ...(view.site === null ? [] : [`Site: ${view.site}`]),
    '',
    `Type this only on the page you opened at ${mail.pageOrigin}. It works once, in that browser, for ten minutes.`,
    `Nobody from us will ever ask you for it. If you did not open that page, tell your ${view.kind === 'act' ? 'supervisor' : 'dispatcher'}.`,
    '',
  ].join('\n');
}

function moneyLines(view: ActionView): string[] {
  return [
    `It decides: ${view.title}, ${formatUsd(view.amountCents)}`,
    `New not-to-exceed amount: ${formatUsd(view.newNteCents)}`,
    ...(view.reference === null ? [] : [`Ticket: ${view.reference}`]),
  ];
}

/** Amounts and codes; whom it is about stands on the page. */
function actLines(view: ActView): string[] {
  return [
    `It confirms: ${view.title}`,
    ...(view.account === null ? [] : [`Account: ${view.account}`]),
    ...view.asked
      .filter(({ value }) => value.startsWith('$'))
      .map(({ label, value }) => `${label}: ${value}`),
  ];
}
