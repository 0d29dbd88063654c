import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import type { World } from './world.ts';

const MAX_MAIL_BYTES = 256 * 1024;
const MAX_TEXT_CHARS = 20_000;
const CLOSE_WITHIN_MS = 500;

/** The mail server of the demo's people; takes mail for them and nobody else, and relays nothing. */
export interface MailServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts it. No TLS and no sign-in: it listens on a loopback address only, which the caller has checked.
 * @throws Error when the port is taken
 */
export async function startMailServer(options: {
  readonly world: World;
  readonly host: string;
  readonly port: number;
  readonly mintId: () => string;
}): Promise<MailServer> {
  const { world, mintId } = options;
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    size: MAX_MAIL_BYTES,
    maxClients: 20,
    // A client that stays connected must not keep this process from ending.
    closeTimeout: CLOSE_WITHIN_MS,
    onRcptTo: (address, _session, done) => {
      done(world.hasAddress(address.address) ? null : new Error('no such mailbox in this demo'));
    },
    onData: (stream, session, done) => {
      const chunks: Uint8Array[] = [];
      stream.on('data', (chunk: Uint8Array) => {
        if (!stream.sizeExceeded) chunks.push(chunk);
      });
      stream.on('end', () => {
        if (stream.sizeExceeded) return done(new Error('message too large'));
        keep(
          Buffer.concat(chunks),
          session.envelope.rcptTo.map((to) => to.address),
        ).then(
          () => done(),
          () => done(new Error('message cannot be read')),
        );
      });
    },
  });

  const keep = async (raw: Uint8Array, recipients: readonly string[]): Promise<void> => {
    const mail = await PostalMime.parse(raw);
    for (const email of recipients) {
      world.addMail(email, {
        id: mintId(),
        from: mail.from?.address ?? '',
        subject: (mail.subject ?? '').slice(0, 500),
        text: (mail.text ?? '').trim().slice(0, MAX_TEXT_CHARS),
      });
    }
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  // A client that breaks off is no reason to stop.
  server.on('error', () => undefined);
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
