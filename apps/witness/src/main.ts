import { randomBytes } from 'node:crypto';
import { runService } from '@deadlatch/http';
import { systemClock } from '@deadlatch/kernel';
import { compose } from './compose.ts';
import { readSettings } from './env.ts';

const steady = () => performance.now();
await runService(() =>
  compose(readSettings(process.env), { now: systemClock, steady, random: (n) => randomBytes(n), fetch }),
);
