import type { EVIDENCE_CONTENT_TYPES, UnusableReason } from '@deadlatch/catalogue';

type ContentType = (typeof EVIDENCE_CONTENT_TYPES)[number];

/**
 * Whether a file is, from its first byte to its last, one still picture of the announced type.
 * @returns the fault that was found first; null when the whole file was accounted for
 * @source RFC 2046 section 4 leaves the meaning of a type to its sender: it is believed only where the bytes say the
 *   same. A file that is a picture and something else too is refused here, although what is kept is drawn anew.
 */
export function findFault(file: Buffer, announced: ContentType): UnusableReason | null {
  if (sniff(file) !== announced) return 'type_differs';
  return WALKS[announced](file);
}

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function sniff(file: Buffer): ContentType | null {
  if (file.length >= 3 && file.readUIntBE(0, 3) === 0xffd8ff) return 'image/jpeg';
  if (file.subarray(0, 8).equals(PNG_SIGNATURE)) return 'image/png';
  const isRiff = file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WEBP';
  return isRiff ? 'image/webp' : null;
}

const WALKS: Readonly<Record<ContentType, (file: Buffer) => UnusableReason | null>> = {
  'image/jpeg': walkJpeg,
  'image/png': walkPng,
  'image/webp': walkWebp,
};

const EOI = 0xd9;
const SOS = 0xda;

/** Segment by segment, and through each scan to the next marker. @source ITU-T T.81 annex B */
function walkJpeg(file: Buffer): UnusableReason | null {
  let at = 2;
  for (;;) {
    if (at >= file.length) return 'not_whole';
    if (file[at] !== 0xff) return 'undecodable';
    while (file[at] === 0xff) at += 1;
    const marker = file[at];
    if (marker === undefined) return 'not_whole';
    at += 1;
    if (marker === EOI) return isHarmlessTail(file.subarray(at)) ? null : 'trailing_data';
    if (at + 2 > file.length) return 'not_whole';
    const length = file.readUInt16BE(at);
    if (length < 2) return 'undecodable';
    at += length;
    if (marker === SOS) at = endOfScan(file, at);
  }
}

/** Where the next marker begins that is no restart and no stuffed byte. */
function endOfScan(file: Buffer, from: number): number {
  for (let at = file.indexOf(0xff, from); at !== -1; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1];
    const isCoded = next === 0 || next === 0xff || (next !== undefined && next >= 0xd0 && next <= 0xd7);
    if (next !== undefined && !isCoded) return at;
  }
  return file.length;
}

/**
 * What phones put after a picture: nothing, zeroes, more pictures (the brighter half of a photo, or a smaller one), or
 * the notes of one maker. None of it is kept.
 */
function isHarmlessTail(tail: Buffer): boolean {
  if (tail.length === 0 || tail.every((byte) => byte === 0)) return true;
  const isPicture = tail.length > 3 && tail.readUIntBE(0, 3) === 0xffd8ff;
  return isPicture || tail.toString('latin1', tail.length - 4) === 'SEFT';
}

/** @source PNG specification, third edition, section 5.3 */
function walkPng(file: Buffer): UnusableReason | null {
  for (let at = PNG_SIGNATURE.length; ; ) {
    if (at + 12 > file.length) return 'not_whole';
    const name = file.toString('latin1', at + 4, at + 8);
    if (at === PNG_SIGNATURE.length && name !== 'IHDR') return 'undecodable';
    if (name === 'acTL') return 'animated';
    at += 12 + file.readUInt32BE(at);
    if (at > file.length) return 'not_whole';
    if (name === 'IEND') return at === file.length ? null : 'trailing_data';
  }
}

/** @source RFC 9649 section 2 */
function walkWebp(file: Buffer): UnusableReason | null {
  const end = 8 + file.readUInt32LE(4);
  if (end > file.length) return 'not_whole';
  if (end < file.length) return 'trailing_data';
  for (let at = 12; at < end; ) {
    if (at + 8 > end) return 'not_whole';
    const name = file.toString('latin1', at, at + 4);
    if (name === 'ANIM' || name === 'ANMF') return 'animated';
    const size = file.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
    if (at > end) return 'not_whole';
  }
  return null;
}
