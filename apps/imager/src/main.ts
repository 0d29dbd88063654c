import { runService } from '@deadlatch/http';
import { compose } from './compose.ts';
import { readSettings } from './env.ts';

await runService(() => compose(readSettings(process.env)));
