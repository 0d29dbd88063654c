import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between services and their database, and can be cut. */
export interface DatabaseLine {
  /** @returns the address that leads through here to the real one */
  readonly leadTo: (real: string) => Promise<string>;
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

export function createDatabaseLine(): DatabaseLine {
  const sockets = new Set<Socket>();
  let server: Server;
  let port = 0;
  let real: URL;
  const listen = () =>
    new Promise<void>((done, fail) => {
      server = createServer((near) => {
        const far = connect(Number(real.port), real.hostname);
        for (const socket of [near, far]) {
          sockets.add(socket);
          socket.on('error', () => undefined);
          socket.on('close', () => {
            sockets.delete(socket);
            near.destroy();
            far.destroy();
          });
        }
        near.pipe(far).pipe(near);
      });
      server.once('error', fail);
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        if (typeof address === 'object' && address) port = address.port;
        done();
      });
    });
  const cut = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    });
  return {
    async leadTo(url) {
      real = new URL(url);
      await listen();
      const through = new URL(url);
      through.hostname = '127.0.0.1';
      through.port = String(port);
      return through.href;
    },
    cut,
    mend: listen,
    close: cut,
  };
}
