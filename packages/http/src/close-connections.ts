import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Makes `close()` wait for requests that are being answered and for nothing else. Node itself also waits for
 * connections that never sent a request, which browsers open in advance, and for half a request.
 */
export function closeConnections(app: FastifyInstance): void {
  const open = new Set<Socket>();
  /** Under TLS the requests belong to a second socket over the one that was accepted. */
  const secured = new Set<Socket>();
  let isClosing = false;
  const keepIn = (sockets: Set<Socket>) => (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  app.server.on('connection', keepIn(open));
  app.server.on('secureConnection', keepIn(secured));
  app.addHook('onResponse', async (request) => {
    if (isClosing) request.raw.socket.destroySoon();
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    const answering = new Set([...open, ...secured].filter(isAnswering).map(remoteOf));
    for (const socket of open) if (!answering.has(remoteOf(socket))) socket.destroy();
  });
}

/** Whether node is working on a request of this socket; its own error handler looks at the same field. */
export function isAnswering(socket: Socket): boolean {
  return '_httpMessage' in socket && socket._httpMessage != null;
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
