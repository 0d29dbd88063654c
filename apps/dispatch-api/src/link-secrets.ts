import { createHash, createHmac } from 'node:crypto';

export interface LinkPurpose {
  readonly purpose: 'status' | 'approval' | 'act' | 'choice';
  /** The contact; for an act the member of staff. */
  readonly contactId: string;
  /** Ticket, approval or act id; for a choice, the message that it stands in. */
  readonly objectId: string;
}

/**
 * The secret part of a link: 136 bits, derived from what the link is for. Hexadecimal, because a phone leaves a
 * trailing `-` or `_` out of what it makes clickable.
 *
 * Deriving instead of drawing it means that the text of a message can be rendered again at delivery although
 * only the hash is stored; without `key` it is as good as random.
 * @param key 32 bytes that only this service holds
 */
export function linkSecret(link: LinkPurpose, key: Uint8Array): string {
  return createHmac('sha256', key)
    .update(['link', link.purpose, link.contactId, link.objectId].join('|'))
    .digest('hex')
    .slice(0, 34);
}

/** The secret of the link at which one member of staff confirms one act. */
export function actSecret(staffId: string, actId: string, key: Uint8Array): string {
  return linkSecret({ purpose: 'act', contactId: staffId, objectId: actId }, key);
}

/** The form of every secret. */
export const LINK_SECRET = /^[0-9a-f]{34}$/;

/** What the database keeps of a link, and how one that comes back is looked up. */
export function linkHash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
