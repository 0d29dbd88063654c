/** The process that sends: everything is signed and laid out as bytes before the clock runs. */
import { once } from 'node:events';
import { connect as connectPlainly, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { loadSigningKey } from '@deadlatch/signing';
import { AUDIENCE, type SenderKeys, signedCommand } from './command.ts';
import { inParallel } from './in-parallel.ts';
import type { LoadAnswer, LoadOrder, LoadSetup } from './load-messages.ts';

interface Loaded extends LoadSetup {
  readonly keys: SenderKeys;
}

let loaded: Loaded | undefined;
let cursor = 0;
let ready: readonly Buffer[] = [];

process.on('message', async (order: LoadOrder) => {
  const answer = await follow(order).catch(
    (error: Error): LoadAnswer => ({ kind: 'failed', reason: error.message }),
  );
  process.send?.(answer);
});
process.once('disconnect', () => process.exit(0));

async function follow(order: LoadOrder): Promise<LoadAnswer> {
  if (order.kind === 'setup') {
    const { signingPem, tokenPem } = order.setup;
    loaded = {
      ...order.setup,
      keys: { signing: loadSigningKey(signingPem), token: loadSigningKey(tokenPem) },
    };
    return { kind: 'ready' };
  }
  if (loaded === undefined) throw new Error('not set up');
  if (order.kind === 'sign') {
    ready = Array.from({ length: order.count }, () => nextRequest(loaded as Loaded));
    return { kind: 'ready' };
  }
  return await send(loaded, order.clients, ready);
}

/** A whole HTTP/1.1 request as bytes. */
function nextRequest({ keys, tenantId, jobs, port }: Loaded): Buffer {
  const job = jobs[cursor % jobs.length];
  if (job === undefined) throw new Error('no jobs');
  const { signed, headers } = signedCommand(keys, tenantId, job, cursor);
  cursor += 1;
  const head = [
    `${signed.method} ${signed.target} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    `content-length: ${signed.body.byteLength}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), signed.body]);
}

async function send(to: Loaded, clients: number, requests: readonly Buffer[]): Promise<LoadAnswer> {
  const sockets = await Promise.all(Array.from({ length: clients }, () => open(to)));
  const latenciesMs: number[] = [];
  const from = performance.now();
  try {
    await inParallel(clients, requests.length, async (at) => {
      const socket = sockets.pop();
      const request = requests[at];
      if (socket === undefined || request === undefined) throw new Error('more clients than connections');
      const began = performance.now();
      await exchange(socket, request);
      latenciesMs.push(performance.now() - began);
      sockets.push(socket);
    });
    return { kind: 'sent', perSecond: (requests.length * 1000) / (performance.now() - from), latenciesMs };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function open({ port, tls }: Loaded): Promise<Socket> {
  if (tls === null) {
    const plain = connectPlainly({ host: '127.0.0.1', port, noDelay: true });
    await once(plain, 'connect');
    return plain;
  }
  const socket = connect({
    host: '127.0.0.1',
    port,
    ...tls,
    minVersion: 'TLSv1.3',
    checkServerIdentity: (_host, { subjectaltname }) =>
      subjectaltname === `URI:${AUDIENCE}` ? undefined : new Error('not dispatch-api'),
  });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
}

const STATUS = /^HTTP\/1\.1 (\d{3})/;
const LENGTH = /\r\ncontent-length: (\d+)/i;

/** One request, one answer of status 200; anything else ends the measurement, since it would measure refusals. */
function exchange(socket: Socket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (error?: Error) => {
      socket.off('data', take);
      socket.off('close', closed);
      if (error) reject(error);
      else resolve();
    };
    const closed = () => settle(new Error('the service closed the connection'));
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(LENGTH.exec(text)?.[1] ?? Number.NaN);
      if (text.length < headEnd + 4 + length) return;
      const status = STATUS.exec(text)?.[1];
      if (status === '200') settle();
      else settle(new Error(`the service answered ${status}: ${text.slice(headEnd + 4)}`));
    };
    socket.on('data', take);
    socket.once('close', closed);
    socket.write(request);
  });
}
