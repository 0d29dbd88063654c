import type { EVIDENCE_CONTENT_TYPES, UnusableReason } from '@deadlatch/catalogue';
import sharp, { type Sharp } from 'sharp';

type ContentType = (typeof EVIDENCE_CONTENT_TYPES)[number];

const FORMATS: Readonly<Record<ContentType, string>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
};

/** What a picture may have when it is drawn. */
export interface PictureLimits {
  readonly bytes: number;
  readonly pixels: number;
}

/** The type of that name; null for any other. */
export function contentTypeOf(name: string): ContentType | null {
  return Object.hasOwn(FORMATS, name) ? (name as ContentType) : null;
}

/** Small print on a label has to stay readable. */
const QUALITY = 88;

/**
 * Decodes a picture to its last pixel and codes it again: upright, in sRGB, with nothing beside the picture. Where it
 * was taken, by whom and with what is not in what comes out.
 * @returns the new file, or why there is none
 */
export async function drawAnew(
  file: Buffer,
  type: ContentType,
  limits: PictureLimits,
): Promise<Buffer | UnusableReason> {
  // Only these three can be reached, whatever a file pretends to be.
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
  });
  sharp.cache(false);
  sharp.concurrency(1);
  try {
    const { format, width, height, pages = 1 } = await sharp(file, { limitInputPixels: false }).metadata();
    if (format !== FORMATS[type]) return 'type_differs';
    if (pages !== 1) return 'animated';
    if (width * height > limits.pixels) return 'too_many_pixels';
    const drawn = await draw(file, type, limits, 'warning').catch((error: Error) => {
      if (error.message.includes(ODD_BUT_WHOLE)) return draw(file, type, limits, 'error');
      throw error;
    });
    return drawn.byteLength > limits.bytes ? 'too_large' : drawn;
  } catch {
    // What the decoder says quotes the file.
    return 'undecodable';
  }
}

/**
 * Photos that were edited on some telephones say this of themselves and are whole. Every other warning is a picture
 * whose end is missing, or was painted grey by the decoder.
 */
const ODD_BUT_WHOLE = 'Invalid SOS parameters';

function draw(
  file: Buffer,
  type: ContentType,
  { pixels }: PictureLimits,
  failOn: 'warning' | 'error',
): Promise<Buffer> {
  const upright = sharp(file, { limitInputPixels: pixels, failOn }).autoOrient();
  return coded(upright, type).toBuffer();
}

/** Without `withMetadata` nothing is carried over: no EXIF, no XMP, no profile. */
function coded(picture: Sharp, type: ContentType): Sharp {
  if (type === 'image/jpeg') return picture.jpeg({ quality: QUALITY });
  return type === 'image/png' ? picture.png() : picture.webp({ quality: QUALITY });
}
