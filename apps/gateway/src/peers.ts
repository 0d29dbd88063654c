import { type JsonValue, refuse } from '@deadlatch/kernel';
import type { Static, TSchema } from 'typebox';

/**
 * A signed client of one peer, as narrow as this service needs it.
 * @throws DispatchError with the peer's code; `unavailable` when it cannot be reached
 */
export interface Peer {
  write(path: string, body: JsonValue, options: { readonly idempotencyKey: string }): Promise<JsonValue>;
  read(path: string): Promise<JsonValue>;
}

/** Makes a check that returns the proven value or throws `schema_mismatch`. */
export type MakeValidator = <T extends TSchema>(schema: T) => (value: unknown) => Static<T>;

/**
 * Proves the shape of a peer's answer. A wrong one is the peer's fault and not the message's: worth another try,
 * never a reason to put a message aside.
 * @throws DispatchError `unavailable`
 */
export function trustAnswer<T>(validate: (value: unknown) => T, answer: JsonValue): T {
  try {
    return validate(answer);
  } catch (cause) {
    return refuse('unavailable', { detail: 'peer answered in an unknown shape', cause });
  }
}
