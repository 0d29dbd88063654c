/** Roles that log in, by the short name that `createTestDatabase` and the key directories use. */
export const LOGIN_ROLES = {
  dispatch: 'deadlatch_dispatch',
  identity: 'deadlatch_identity',
  vault: 'deadlatch_vault',
  worker: 'deadlatch_worker',
  sequencer: 'deadlatch_sequencer',
  demo: 'deadlatch_demo',
} as const;

export type LoginRole = keyof typeof LOGIN_ROLES;
export const LOGIN_ROLE_NAMES = Object.keys(LOGIN_ROLES) as LoginRole[];

/** Owns every schema and table; cannot log in and is no superuser, so row-level security binds it too. */
export const OWNER_ROLE = 'deadlatch_owner';

/** The URL of the same server and database under another role. */
export function urlForRole(adminUrl: string, role: LoginRole, password: string): string {
  const url = new URL(adminUrl);
  url.username = LOGIN_ROLES[role];
  url.password = password;
  return url.href;
}
