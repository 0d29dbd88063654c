import { isUuid, refuse } from '@deadlatch/kernel';

const QUERY: ReadonlyMap<string, RegExp> = new Map([
  ['size', /^[1-9][0-9]{0,8}$/],
  ['expires', /^[1-9][0-9]{9,12}$/],
  ['signature', /^[A-Za-z0-9_-]{43,86}$/],
]);

/**
 * The path on dispatch-api for an upload, rebuilt from parts that were each checked: web calls its own peer
 * and nothing else, whatever address a client was made to send.
 * @param rest what followed `/api/uploads/`: one or two UUIDs
 * @throws DispatchError `not_found`
 */
export function uploadTarget(rest: string, query: URLSearchParams): string {
  const ids = rest.split('/');
  if (ids.length > 2 || !ids.every(isUuid)) refuse('not_found', { detail: 'upload: path' });
  const names = [...query.keys()];
  const sound =
    new Set(names).size === names.length &&
    names.includes('signature') &&
    names.every((name) => QUERY.get(name)?.test(query.get(name) ?? '') ?? false);
  if (!sound) refuse('not_found', { detail: 'upload: query' });
  return `/uploads/${ids.join('/')}?${names.map((name) => `${name}=${query.get(name)}`).join('&')}`;
}

/**
 * The announced length of an upload. The server has already refused one that is too large, and node takes no
 * more bytes than were announced.
 * @throws DispatchError `malformed_body` when it is missing: then nobody knows what was cut off
 */
export function announcedLength(header: string | undefined): number {
  if (header === undefined || !/^[1-9][0-9]{0,8}$/.test(header)) {
    return refuse('malformed_body', { detail: 'no_length' });
  }
  return Number(header);
}

/**
 * Where a piece of an upload begins, as its sender says; dispatch-api knows whether that is so.
 * @throws DispatchError `malformed_body`
 */
export function announcedOffset(header: string | string[] | undefined): string {
  if (typeof header !== 'string' || !/^(?:0|[1-9][0-9]{0,8})$/.test(header)) {
    return refuse('malformed_body', { detail: 'no_offset' });
  }
  return header;
}
