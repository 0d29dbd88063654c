import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { SMTPServer } from 'smtp-server';

export interface SunkMail {
  readonly to: readonly string[];
  readonly from: string;
  readonly user: string;
  /** The whole message as it went over the wire. */
  readonly text: string;
}

/** A real SMTP server that keeps what it is given. */
export interface MailSink {
  /** With the one credential it takes. */
  readonly url: string;
  readonly mails: SunkMail[];
  /** When false, every message is refused. */
  accepts: boolean;
  close(): Promise<void>;
}

export async function startMailSink(Server: typeof SMTPServer): Promise<MailSink> {
  const mails: SunkMail[] = [];
  const state = { accepts: true };
  const server = new Server({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    logger: false,
    onAuth: (auth, _session, done) => {
      const isOurs = auth.username === 'identity' && auth.password === 'pass word';
      if (isOurs) done(null, { user: 'identity' });
      else done(new Error('unknown credential'));
    },
    onData: (stream, session, done) => {
      buffer(stream).then((content) => {
        if (!state.accepts) {
          done(new Error('mailbox unavailable'));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          to: rcptTo.map((recipient) => recipient.address),
          from: mailFrom === false ? '' : (mailFrom?.address ?? ''),
          user: String(session.user ?? ''),
          text: content.toString('utf8'),
        });
        done();
      }, done);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return Object.assign(state, {
    url: `smtp://identity:pass%20word@127.0.0.1:${port}`,
    mails,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  });
}
