import { parentPort } from 'node:worker_threads';

/** A masking thread gone wrong: loops for ever on "hang", ends without an answer on "die". */
parentPort?.on('message', (job: { raw: string }) => {
  if (job.raw === 'die') process.exit(1);
  for (;;) {
    // Never yields, as a runaway pattern would not.
  }
});
