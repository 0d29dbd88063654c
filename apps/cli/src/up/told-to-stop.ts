/** Somebody pressed Ctrl-C or sent a signal. */
export class Stopped extends Error {}

/** The wish to end, as it reaches this process. */
export interface ToldToStop {
  readonly isTold: boolean;
  /** `work`, unless the wish comes first. @throws Stopped */
  unless<T>(work: Promise<T>): Promise<T>;
  /** Resolves when the wish has come. */
  readonly told: Promise<void>;
}

/** Listens for SIGINT, SIGTERM and SIGHUP from now on; a second one changes nothing, stopping is under way. */
export function listenForStop(): ToldToStop {
  let isTold = false;
  const told = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        isTold = true;
        done();
      });
    }
  });
  const stopped = told.then(() => Promise.reject(new Stopped('told to stop')));
  stopped.catch(() => undefined);
  return {
    get isTold() {
      return isTold;
    },
    told,
    unless: (work) => Promise.race([work, stopped]),
  };
}
