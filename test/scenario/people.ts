import { createHash, randomUUID } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import { type Browser, createBrowser, hiddenFields, type Seen } from './browser.ts';

/** One command as a person sent it through the console, kept so that it can be sent again. */
export interface Sent {
  readonly person: Person;
  readonly command: string;
  readonly targetId: string | null;
  readonly input: unknown;
  readonly key: string;
  readonly seen: Seen;
}

/** Somebody signed in at the console, with a browser of their own. */
export interface Person {
  readonly slug: string;
  command(command: string, targetId: string | null, input: unknown, key?: string): Promise<Sent>;
  read(path: string): Promise<Seen>;
  upload(address: string, bytes: Uint8Array): Promise<Seen>;
  /** Goes on with an upload from there. */
  append(address: string, offset: number, bytes: Uint8Array): Promise<Seen>;
}

/**
 * Signs a person in through the console's sign-in page.
 * @param link one-use secret of the demo's issuer
 * @param keep sees every command that is sent
 */
export async function signIn(
  webUrl: string,
  slug: string,
  link: string,
  keep: (sent: Sent) => void,
): Promise<Person> {
  const browser: Browser = createBrowser();
  const page = await browser.get(`${webUrl}/sign-in/${link}`);
  await browser.postForm(`${webUrl}/sign-in`, hiddenFields(page.text));
  const me = await browser.get(`${webUrl}/api/me`);
  if (me.status !== 200) throw new Error(`${slug} could not sign in: ${me.status} ${me.text}`);
  const csrf = { 'x-csrf-token': String(me.body.csrf) };
  const person: Person = {
    slug,
    async command(command, targetId, input, key = randomUUID()) {
      const seen = await browser.postJson(
        `${webUrl}/api/commands/${command}`,
        { target_id: targetId, input, idempotency_key: key },
        csrf,
      );
      const sent = { person, command, targetId, input, key, seen };
      keep(sent);
      return sent;
    },
    read: (path) => browser.get(`${webUrl}${path}`),
    upload: (address, bytes) =>
      browser.sendBytes('PUT', `${webUrl}${address}`, bytes, { ...csrf, 'content-type': 'image/png' }),
    append: (address, offset, bytes) =>
      browser.sendBytes('PATCH', `${webUrl}${address}`, bytes, {
        ...csrf,
        'content-type': 'application/partial-upload',
        'upload-offset': String(offset),
      }),
  };
  return person;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A valid 1x1 PNG with `note` in a text chunk, so that every photo has bytes of its own. */
export function photo(note: string): Uint8Array {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const header = Buffer.from('00000001000000010802000000', 'hex');
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('tEXt', Buffer.from(`note\0${note}`, 'latin1')),
    chunk('IDAT', deflateSync(Buffer.from([0, 200, 30, 30]))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
