import { DispatchError, type ErrorCode, type JsonValue, refuse } from '@deadlatch/kernel';

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

/**
 * Turns a peer's refusal into an outage, except for the codes that are an answer to the question itself. A key that
 * is being rotated, a clock that is off or a grant that was used in a lost attempt will pass; whoever asked us must
 * try again and not take the refusal of *our* call for one of theirs.
 * @throws DispatchError one of `answers`, or `unavailable`
 */
export async function orOutage<T>(call: Promise<T>, answers: readonly ErrorCode[]): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    if (cause instanceof DispatchError && answers.includes(cause.code)) throw cause;
    return refuse('unavailable', { detail: 'peer refused', cause });
  }
}
