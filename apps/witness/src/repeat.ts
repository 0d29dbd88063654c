/** Work that is done again and again, never twice at once. */
export interface Repeated {
  start(): void;
  /** The next time comes at once, or right after the one that is under way. */
  hurry(): void;
  /** Returns when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** @param work must not throw; @param pauseMs between the end of one time and the next */
export function repeat(work: () => Promise<void>, pauseMs: number): Repeated {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isHurried = false;
  let isStopped = false;

  const run = () => {
    clearTimeout(timer);
    isHurried = false;
    running = work().finally(() => {
      running = undefined;
      if (!isStopped) timer = setTimeout(run, isHurried ? 0 : pauseMs);
    });
  };
  return {
    start: run,
    hurry: () => {
      isHurried = true;
      if (running === undefined && timer !== undefined && !isStopped) run();
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
