import { refuse } from '@deadlatch/kernel';

/** The cookies web sets. On https their names carry `__Host-`: no other host and no sub-path can plant one. */
export interface CookieNames {
  readonly session: string;
  /** Binds the sign-in form to the browser that opened it. */
  readonly signIn: string;
  readonly secure: boolean;
}

export function cookieNames(publicUrl: URL): CookieNames {
  const secure = publicUrl.protocol === 'https:';
  const prefix = secure ? '__Host-' : '';
  return {
    session: `${prefix}deadlatch_session`,
    signIn: `${prefix}deadlatch_sign_in`,
    secure,
  };
}

const VALUE = /^[A-Za-z0-9_-]{1,512}$/;

/**
 * The value of one cookie, or `null` when it is absent or not base64url.
 * @throws DispatchError `unauthenticated` when it came twice: which of two sessions is meant is a guess
 */
export function readCookie(header: string | undefined, name: string): string | null {
  const found = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  if (found.length > 1) refuse('unauthenticated', { detail: 'cookie_given_twice' });
  const [value] = found;
  return value !== undefined && VALUE.test(value) ? value : null;
}

/**
 * A `Set-Cookie` value: HttpOnly, SameSite=Strict, the whole site.
 * @param maxAgeS seconds; 0 removes it
 * @invariant no cookie of ours is readable by a script or sent from another site
 */
export function setCookie(names: CookieNames, name: string, value: string, maxAgeS: number): string {
  const parts = [`${name}=${value}`, 'Path=/', `Max-Age=${maxAgeS}`, 'HttpOnly', 'SameSite=Strict'];
  return [...parts, ...(names.secure ? ['Secure'] : [])].join('; ');
}
