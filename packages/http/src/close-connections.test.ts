import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { createLogger } from '@deadlatch/telemetry';
import { createHttpServer } from './server.ts';

/** A server with a route that answers when it is told to. */
async function slowServer() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const app = createHttpServer({
    service: 'web',
    logger: createLogger({ service: 'web', level: 'debug', write: () => undefined }),
    bodyLimitBytes: 100,
    ready: async () => {},
  });
  app.get('/slow', async () => {
    asked.resolve();
    await answer.promise;
    return { done: true };
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, port, asked: asked.promise, answer: answer.resolve };
}

async function open(port: number, bytes: string): Promise<{ socket: Socket; ended: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((done) => socket.once('close', () => done(text)));
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return { socket, ended };
}

const GET_SLOW = 'GET /slow HTTP/1.1\r\nhost: x\r\n\r\n';

test('close waits for no connection that asked for nothing, or only for half of something', async () => {
  const { app, port } = await slowServer();
  const silent = await open(port, '');
  const half = await open(port, 'GET /slow HTT');
  const kept = await open(port, 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(kept.socket, 'data');
  await app.close();
  assert.equal(await silent.ended, '');
  assert.equal(await half.ended, '');
  assert.match(await kept.ended, /^HTTP\/1\.1 200 /);
});

test('close lets a request that is being answered finish, and then its connection goes too', async () => {
  const { app, port, asked, answer } = await slowServer();
  const busy = await open(port, GET_SLOW);
  await asked;
  const closed = app.close();
  answer();
  await closed;
  assert.match(await busy.ended, /^HTTP\/1\.1 200 [\s\S]*"done":true/);
});
