import { findRead, PERSON_ROLES, type PersonRole } from '@deadlatch/catalogue';
import type { ServiceClient } from '@deadlatch/http';
import { type JsonValue, refuse } from '@deadlatch/kernel';

const SELF = findRead('self.get')?.route ?? '/v1/self';

/**
 * The roles that the holder of a token has at this moment, as the authority knows them. They decide what a page
 * asks for and shows, never what is allowed.
 * @throws DispatchError whatever dispatch-api refuses with; `unavailable` for an answer without roles
 */
export async function readOwnRoles(
  dispatchApi: Pick<ServiceClient, 'read'>,
  token: string,
): Promise<readonly PersonRole[]> {
  const roles = rolesIn(await dispatchApi.read(SELF, { token }));
  return PERSON_ROLES.filter((role) => roles.includes(role));
}

function rolesIn(answer: JsonValue): readonly JsonValue[] {
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) {
    const roles = Object.hasOwn(answer, 'roles') ? answer.roles : undefined;
    if (Array.isArray(roles)) return roles;
  }
  return refuse('unavailable', { detail: 'answer lacks roles' });
}
