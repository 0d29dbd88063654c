import { type JsonValue, refuse } from '@deadlatch/kernel';

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
