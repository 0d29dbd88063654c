/** Milliseconds since the epoch. Passed in wherever time matters; nothing reads the wall clock by itself. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** RFC 3339 with milliseconds and `Z`: the one textual form of an instant in events, tokens and answers. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}
