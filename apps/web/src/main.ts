import { runService } from '@deadlatch/http';
import { startWeb } from './compose.ts';
import { webConfig } from './config.ts';
import { readWebEnv } from './env.ts';

await runService(() => startWeb(webConfig(readWebEnv(process.env))));
