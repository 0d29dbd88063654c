import { text } from 'node:stream/consumers';
import { openKeyDirectory } from '@deadlatch/http';
import { installQueue } from './install-queue.ts';

// Run by the operator before the worker starts, with `{"admin_url": "…"}` on standard input.
const { admin_url: adminUrl } = JSON.parse(await text(process.stdin)) as { admin_url: string };
const keyDir = openKeyDirectory(process.env.DEADLATCH_KEY_DIR ?? '');
await installQueue(adminUrl, keyDir.secret('database-url').reveal());
