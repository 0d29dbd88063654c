import { Worker } from 'node:worker_threads';
import type { Analysis } from './mask.ts';
import type { MaskJob } from './mask-job.ts';

/** Masks in a thread of its own, one message after the other. */
export interface MaskRunner {
  /** Never rejects: a thread that dies or takes too long withholds the message. */
  run(job: MaskJob): Promise<Analysis>;
  close(): Promise<void>;
}

export interface MaskRunnerOptions {
  readonly entry: URL;
  /** Contents of the two word lists. */
  readonly words: string;
  readonly makers: string;
  /** Hard limit for one message; the thread is killed at it. */
  readonly limitMs: number;
}

/** More waiting messages than this are withheld at once: a queue without an end is an outage in disguise. */
const MAX_WAITING = 256;

/**
 * @invariant no input can hold the process longer than `limitMs`: the thread is terminated, not asked
 * @source design: "Making text safe", stage 5
 */
export function createMaskRunner({ entry, words, makers, limitMs }: MaskRunnerOptions): MaskRunner {
  let worker: Worker | null = null;
  let waiting = 0;
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();

  const ready = (): Worker => {
    if (worker !== null) return worker;
    const started = new Worker(entry, {
      workerData: { words, makers },
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    // An idle thread does not keep the process; one that dies between messages is replaced at the next.
    started.unref();
    started.on('error', () => undefined);
    started.once('exit', () => {
      if (worker === started) worker = null;
    });
    worker = started;
    return started;
  };

  const drop = async () => {
    const dead = worker;
    worker = null;
    await dead?.terminate();
  };

  const runNow = async (job: MaskJob): Promise<Analysis> => {
    if (closed) return { state: 'WITHHELD', reason: 'exception' };
    const analysis = await ask(ready(), job, limitMs);
    if (analysis.state === 'WITHHELD' && (analysis.reason === 'timeout' || analysis.reason === 'exception')) {
      await drop();
    }
    return analysis;
  };

  return {
    run(job) {
      if (waiting >= MAX_WAITING) return Promise.resolve({ state: 'WITHHELD', reason: 'timeout' });
      waiting += 1;
      const turn = tail.then(() => runNow(job));
      tail = turn.then(
        () => undefined,
        () => undefined,
      );
      return turn
        .catch((): Analysis => ({ state: 'WITHHELD', reason: 'exception' }))
        .finally(() => {
          waiting -= 1;
        });
    },
    async close() {
      closed = true;
      await drop();
    },
  };
}

function ask(worker: Worker, job: MaskJob, limitMs: number): Promise<Analysis> {
  return new Promise((resolve) => {
    const finish = (analysis: Analysis) => {
      clearTimeout(timer);
      worker.off('message', finish).off('error', fail).off('exit', fail);
      resolve(analysis);
    };
    const fail = () => finish({ state: 'WITHHELD', reason: 'exception' });
    const timer = setTimeout(() => finish({ state: 'WITHHELD', reason: 'timeout' }), limitMs);
    worker.on('message', finish).on('error', fail).on('exit', fail);
    worker.postMessage(job);
  });
}
