/** Milliseconds since the epoch. Passed in wherever time matters; nothing reads the wall clock by itself. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();

/** RFC 3339 with milliseconds and `Z`: the one textual form of an instant in events, tokens and answers. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Whether `text` is such an instant of a year that the database knows too (0001 to 9999).
 * A pattern alone lets the 30th of February through, which one reader calls the 2nd of March and another an error.
 */
export function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && toInstant(ms) === text && /^(?!0000)\d{4}-/.test(text);
}
