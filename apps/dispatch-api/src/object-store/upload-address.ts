import { createHmac, timingSafeEqual } from 'node:crypto';
import { refuse } from '@deadlatch/kernel';

/** What a presigned address permits: exactly this many bytes, under this evidence id, until then. */
export interface UploadPermit {
  readonly tenantId: string;
  readonly evidenceId: string;
  readonly sizeBytes: number;
  /** Seconds since the epoch. */
  readonly expires: number;
}

export const UPLOAD_LIFETIME_S = 15 * 60;

/** `/uploads/<tenant>/<evidence>?…` with a keyed signature over every part of the permit. */
export function uploadAddress(permit: UploadPermit, key: Uint8Array): string {
  const query = new URLSearchParams({
    size: String(permit.sizeBytes),
    expires: String(permit.expires),
    signature: sign(permit, key),
  });
  return `/uploads/${permit.tenantId}/${permit.evidenceId}?${query}`;
}

/**
 * Proves an address that came back.
 * @param nowS seconds since the epoch
 * @throws DispatchError `not_found` for anything but an address we signed that has not expired
 */
export function readUploadAddress(
  path: { readonly tenantId: string; readonly evidenceId: string },
  query: Readonly<Record<string, unknown>>,
  key: Uint8Array,
  nowS: number,
): UploadPermit {
  const { size, expires, signature } = query;
  const wellFormed =
    typeof size === 'string' &&
    typeof expires === 'string' &&
    typeof signature === 'string' &&
    /^[1-9][0-9]{0,8}$/.test(size) &&
    /^[1-9][0-9]{9}$/.test(expires) &&
    /^[A-Za-z0-9_-]{43}$/.test(signature);
  if (!wellFormed) return refuse('not_found', { detail: 'upload address: malformed' });
  const permit = { ...path, sizeBytes: Number(size), expires: Number(expires) };
  const expected = Buffer.from(sign(permit, key));
  if (!timingSafeEqual(expected, Buffer.from(signature)))
    refuse('not_found', { detail: 'upload address: forged' });
  if (permit.expires < nowS) refuse('not_found', { detail: 'upload address: expired' });
  return permit;
}

function sign(permit: UploadPermit, key: Uint8Array): string {
  const text = ['upload', permit.tenantId, permit.evidenceId, permit.sizeBytes, permit.expires].join('|');
  return createHmac('sha256', key).update(text).digest('base64url');
}
