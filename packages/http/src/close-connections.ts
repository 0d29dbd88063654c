import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Makes `close()` wait for requests that are being answered and for nothing else. Node itself also waits for
 * connections that never sent a request, which browsers open in advance, and for half a request.
 */
export function closeConnections(app: FastifyInstance): void {
  const open = new Set<Socket>();
  let isClosing = false;
  app.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  app.addHook('onResponse', async (request) => {
    if (isClosing) request.raw.socket.destroySoon();
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const socket of open) if (!isAnswering(socket)) socket.destroy();
  });
}

/** Whether node is working on a request of this socket; its own error handler looks at the same field. */
export function isAnswering(socket: Socket): boolean {
  return '_httpMessage' in socket && socket._httpMessage != null;
}
