import type { FreeTextRef } from '@deadlatch/catalogue';
import type { ServiceClient } from '@deadlatch/http';
import { type JsonValue, refuse } from '@deadlatch/kernel';

export interface SignedIn {
  /** The secret that becomes the cookie; web keeps it nowhere. */
  readonly session: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface PersonToken {
  readonly token: string;
  /** `<kind>:<uuid>` */
  readonly subject: string;
  readonly label: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What web asks of identity: who is behind this cookie, for the next seconds. */
export interface Identity {
  /** @throws DispatchError whatever identity refuses with; a used or unknown link is not told apart */
  openSession(link: string): Promise<SignedIn>;
  endSession(session: string): Promise<void>;
  tokenFor(session: string, correlationId: string): Promise<PersonToken>;
}

const SESSION = /^[A-Za-z0-9_-]{43}$/;

/** Identity's answers, checked before they are used. @throws DispatchError `unavailable` for any other answer */
export function createIdentity(peer: Pick<ServiceClient, 'write'>): Identity {
  return {
    openSession: async (link) => {
      const answer = await peer.write('/v1/sessions', { link });
      const session = text(answer, 'session');
      if (!SESSION.test(session)) refuse('unavailable', { detail: 'identity: session of another form' });
      return { session, expiresAt: instant(answer, 'expires_at') };
    },
    endSession: async (session) => {
      await peer.write('/v1/sessions/end', { session });
    },
    tokenFor: async (session, correlationId) => {
      const answer = await peer.write('/v1/tokens/session', { session, correlation_id: correlationId });
      return {
        token: text(answer, 'token'),
        subject: text(answer, 'subject'),
        label: text(answer, 'label'),
        expiresAt: instant(answer, 'expires_at'),
      };
    },
  };
}

/** What web asks of the vault: words in, a handle out. Nothing ever comes back out this way. */
export interface Vault {
  /** @param idempotencyKey the same key and words again answer the same handle */
  seal(words: string, idempotencyKey: string): Promise<FreeTextRef>;
}

export function createVault(peer: Pick<ServiceClient, 'write'>): Vault {
  return {
    seal: async (words, idempotencyKey) => {
      const answer = await peer.write('/v1/texts', { text: words }, { idempotencyKey });
      return { text_id: text(answer, 'text_id'), commitment: text(answer, 'commitment') };
    },
  };
}

function member(answer: JsonValue, name: string): JsonValue | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return undefined;
  return Object.hasOwn(answer, name) ? answer[name] : undefined;
}

function text(answer: JsonValue, name: string): string {
  const value = member(answer, name);
  if (typeof value !== 'string' || value === '')
    return refuse('unavailable', { detail: `answer lacks ${name}` });
  return value;
}

function instant(answer: JsonValue, name: string): number {
  const at = Date.parse(text(answer, name));
  return Number.isNaN(at) ? refuse('unavailable', { detail: `answer's ${name} is no instant` }) : at;
}
