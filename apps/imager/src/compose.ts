import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MAX_EVIDENCE_BYTES } from '@deadlatch/catalogue';
import { createHttpServer, type Running } from '@deadlatch/http';
import { createLogger } from '@deadlatch/telemetry';
import { createDecoder } from './decode-in-child.ts';
import { DECODER_MAIN, decoderCommand } from './decoder-command.ts';
import type { Settings } from './env.ts';
import { addImageRoute } from './image-route.ts';

/** Nobody but the user that runs the services reaches the socket. */
const OWNER_ALONE = 0o177;

const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));

/** Constructs the whole service; the only place that does. */
export async function compose(settings: Settings): Promise<Running> {
  const logger = createLogger({ service: 'imager', level: 'info' });
  const app = createHttpServer({
    service: 'imager',
    logger,
    bodyLimitBytes: MAX_EVIDENCE_BYTES,
    ready: async () => {},
  });
  addImageRoute(app, createDecoder(decoderCommand(WORKSPACE, [DECODER_MAIN])));
  process.umask(OWNER_ALONE);
  // What a process that was killed left behind: nobody listens there, since one state directory has one supervisor.
  await rm(settings.IMAGER_SOCKET, { force: true });
  await app.listen({ path: settings.IMAGER_SOCKET });
  logger.event('service.started', {});
  return { close: () => app.close() };
}
