import { refuse } from '@deadlatch/kernel';
import type { Blob } from './blob-store.ts';

/**
 * Reads the answer of ListObjectsV2. Our names are ids, digits and slashes, so a name with an entity in it is not ours.
 * @returns the objects, and where the next page begins; null on the last one
 * @throws DispatchError `unavailable` for anything that is no such answer: half a listing would look like half an upload
 * @source Amazon S3 API reference, ListObjectsV2
 */
export function readListing(xml: string): { readonly blobs: readonly Blob[]; readonly next: string | null } {
  if (!/<ListBucketResult[\s>]/.test(xml)) return nonsense();
  const blobs = xml
    .split('<Contents>')
    .slice(1)
    .map((part) => {
      const [entry = ''] = part.split('</Contents>', 1);
      const name = textIn(entry, 'Key');
      const size = textIn(entry, 'Size');
      const writtenAt = Date.parse(textIn(entry, 'LastModified') ?? '');
      if (name === null || size === null || !/^[0-9]{1,15}$/.test(size) || Number.isNaN(writtenAt)) {
        return nonsense();
      }
      return { name, sizeBytes: Number(size), writtenAt };
    });
  if (textIn(xml, 'IsTruncated') !== 'true') return { blobs, next: null };
  return { blobs, next: unescaped(textIn(xml, 'NextContinuationToken') ?? nonsense()) };
}

function textIn(xml: string, element: string): string | null {
  const start = xml.indexOf(`<${element}>`);
  const end = xml.indexOf(`</${element}>`, start);
  return start === -1 || end === -1 ? null : xml.slice(start + element.length + 2, end);
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&apos;', "'"],
]);

/** Tokens are opaque, and some have a plus or an ampersand in them. */
function unescaped(text: string): string {
  return text.replace(/&[a-z]+;/g, (entity) => ENTITIES.get(entity) ?? nonsense());
}

function nonsense(): never {
  return refuse('unavailable', { detail: 'object store answered no listing' });
}
