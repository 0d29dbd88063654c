import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from '@20minutes/s3rver';

export interface S3Service {
  /** Origin and bucket. */
  readonly bucketUrl: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  close(): Promise<void>;
}

const BUCKET = 'photos';

/**
 * A real S3-compatible service, which checks every signature (SigV4) by a code that is not ours. In front of it stands
 * what it leaves out and the services in use have: nobody comes without a signature, the hash that was signed is
 * compared with the body, so is the announced checksum, and `If-None-Match: *` replaces nothing. Requests pass unchanged, so signatures stay what they were.
 */
export async function createS3Service(): Promise<S3Service> {
  const directory = await mkdtemp(join(tmpdir(), 'deadlatch-s3-'));
  const service = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
    vhostBuckets: false,
  });
  const { port } = await service.run();
  const stored = new Set<string>();
  const front = createServer((asked, answer) => {
    pass(asked, answer, port, stored).catch(() => answer.destroy());
  });
  const frontPort = await listening(front);
  return {
    bucketUrl: `http://127.0.0.1:${frontPort}/${BUCKET}`,
    // The service's own account; it knows no other.
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    close: async () => {
      if (!front.listening) return;
      front.closeAllConnections();
      await new Promise((done) => front.close(done));
      await service.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function pass(
  asked: IncomingMessage,
  answer: ServerResponse,
  port: number,
  stored: Set<string>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of asked) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { pathname: name, searchParams } = new URL(asked.url ?? '', 'http://s3');
  const isSigned = asked.headers.authorization !== undefined || searchParams.has('X-Amz-Signature');
  const fault = isSigned ? faultOf(asked, body, stored.has(name)) : 403;
  if (fault !== null) {
    answer.writeHead(fault).end();
    return;
  }
  if (asked.method === 'PUT') stored.add(name);
  const { rawHeaders: headers, method, url } = asked;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (found) => {
    const isRefused = (found.statusCode ?? 500) >= 400;
    if (method === 'DELETE' || (method === 'PUT' && isRefused)) stored.delete(name);
    answer.writeHead(found.statusCode ?? 500, found.rawHeaders);
    found.pipe(answer);
  });
  onward.once('error', () => answer.destroy());
  onward.end(body);
}

function faultOf({ headers, method }: IncomingMessage, body: Buffer, isThere: boolean): number | null {
  if (method !== 'PUT') return null;
  const hash = createHash('sha256').update(body).digest();
  const signed = headers['x-amz-content-sha256'];
  const announced = headers['x-amz-checksum-sha256'];
  if (typeof signed === 'string' && /^[0-9a-f]{64}$/.test(signed) && signed !== hash.toString('hex'))
    return 400;
  if (announced !== undefined && announced !== hash.toString('base64')) return 400;
  return headers['if-none-match'] === '*' && isThere ? 412 : null;
}

function listening(server: Server): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address) done(address.port);
      else fail(new Error('no port'));
    });
  });
}
