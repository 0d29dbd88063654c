/** Says how far long work is, on a terminal; nothing anywhere else. */
export interface Progress {
  step(): void;
  /** Steps so far. */
  count(): number;
  end(): void;
}

const EVERY_MS = 200;

/** @param total how much there is to do; 0 when nobody knows */
export function showProgress(what: string, total: number, isShown: boolean): Progress {
  let done = 0;
  let said = 0;
  const say = () => process.stderr.write(`\r${what} ${done}${total > 0 ? ` of ${total}` : ''} `);
  return {
    step: () => {
      done += 1;
      // Looking at the clock for each of a million events would cost more than writing them.
      if (!isShown || done % 256 !== 0 || performance.now() - said < EVERY_MS) return;
      said = performance.now();
      say();
    },
    count: () => done,
    end: () => {
      if (!isShown) return;
      say();
      process.stderr.write('\n');
    },
  };
}
