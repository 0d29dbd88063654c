/**
 * Runs `work(0) … work(count - 1)`, at most `clients` at a time, each client one after the other.
 * @returns the results in order
 * @throws what the first failing call threw
 */
export async function inParallel<Result>(
  clients: number,
  count: number,
  work: (at: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array<Result>(count);
  let cursor = 0;
  const client = async () => {
    while (cursor < count) {
      const at = cursor;
      cursor += 1;
      results[at] = await work(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(clients, count) }, client));
  return results;
}

/** Calls per second of `count` calls by `clients`. */
export async function rateOf(
  clients: number,
  count: number,
  work: (at: number) => Promise<unknown>,
): Promise<number> {
  const from = performance.now();
  await inParallel(clients, count, work);
  return (count * 1000) / (performance.now() - from);
}
