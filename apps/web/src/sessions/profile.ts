import { PERSON_ROLES, type PersonRole } from '@deadlatch/catalogue';

/** Packs the roles that identity named at sign-in into a cookie value. */
export function packRoles(roles: readonly string[]): string {
  return Buffer.from(JSON.stringify(knownRoles(roles))).toString('base64url');
}

/**
 * The roles to draw the page for; empty for anything unreadable.
 * Whoever edits this cookie sees other buttons and is refused by dispatch-api, which looks roles up itself.
 */
export function unpackRoles(value: string | null): readonly PersonRole[] {
  if (value === null) return [];
  try {
    const roles: unknown = JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
    return Array.isArray(roles) ? knownRoles(roles) : [];
  } catch {
    return [];
  }
}

function knownRoles(roles: readonly unknown[]): PersonRole[] {
  return PERSON_ROLES.filter((role) => roles.includes(role));
}
