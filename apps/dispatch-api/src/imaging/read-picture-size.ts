/** What the first bytes of a picture say of it. */
export interface PictureSize {
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
}

/** Where every coder puts it when there is nothing else in a file. */
export const PICTURE_HEAD_BYTES = 1_024;

/**
 * Reads type and size from the head of a file that was drawn anew. No decoder: a few fields at fixed places.
 * @returns null when they are not where they must be
 * @source ITU-T T.81 B.2.2, PNG specification 11.2.1, RFC 9649 sections 2.5 and 2.6
 */
export function readPictureSize(head: Buffer): PictureSize | null {
  return readJpeg(head) ?? readPng(head) ?? readWebp(head);
}

function readJpeg(head: Buffer): PictureSize | null {
  if (head.length < 4 || head.readUInt16BE(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= head.length; at += 2 + head.readUInt16BE(at + 2)) {
    if (head[at] !== 0xff) return null;
    const marker = head[at + 1] ?? 0;
    // Baseline, extended and progressive: what our coder writes.
    if (marker >= 0xc0 && marker <= 0xc2) {
      return {
        contentType: 'image/jpeg',
        height: head.readUInt16BE(at + 5),
        width: head.readUInt16BE(at + 7),
      };
    }
  }
  return null;
}

function readPng(head: Buffer): PictureSize | null {
  const isPng = head.length >= 24 && head.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n';
  if (!isPng || head.toString('latin1', 12, 16) !== 'IHDR') return null;
  return { contentType: 'image/png', width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
}

function readWebp(head: Buffer): PictureSize | null {
  if (head.length < 30 || head.toString('latin1', 0, 4) !== 'RIFF') return null;
  const sized = (width: number, height: number) => ({ contentType: 'image/webp', width, height });
  switch (head.toString('latin1', 8, 16)) {
    case 'WEBPVP8 ':
      return sized(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff);
    case 'WEBPVP8L': {
      const bits = head.readUInt32LE(21);
      return sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case 'WEBPVP8X':
      return sized(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1);
    default:
      return null;
  }
}
