import { parentPort, workerData } from 'node:worker_threads';
import { type MaskJob, runMaskJob } from './mask-job.ts';
import { readVocabulary } from './vocabulary.ts';

/** Entry of the worker thread: one job in, one analysis out. Started by `mask-runner.ts` only. */
const { words, makers } = workerData as { words: string; makers: string };
const vocabulary = readVocabulary(words, makers);

parentPort?.on('message', (job: MaskJob) => {
  parentPort?.postMessage(runMaskJob(job, vocabulary));
});
