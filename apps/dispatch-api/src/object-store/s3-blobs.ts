import { createHash } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { DispatchError, refuse } from '@deadlatch/kernel';
import { AwsV4Signer } from 'aws4fetch';
import type { Announced, Blob, BlobStore, SignedRequest } from './blob-store.ts';
import { readListing } from './s3-listing.ts';

/** Where the bucket is, and as whom we come. */
export interface S3Place {
  /** Origin and bucket, addressed by path: `https://s3.example/photos`. */
  readonly bucketUrl: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Options {
  readonly place: S3Place;
  readonly fetch: typeof fetch;
  /** Milliseconds for one request, its body included. */
  readonly timeoutMs: number;
}

const NOBODY_KNOWS = 'UNSIGNED-PAYLOAD';
/** Answers that are read at all: a listing of a thousand objects has a third of it. */
const MOST_LISTING_BYTES = 2_000_000;

interface Call {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Object name, or '' for the bucket itself. */
  readonly name: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  /** Statuses that are an answer; every other is an outage. */
  readonly answers: readonly number[];
}

/**
 * Objects in a bucket of an S3-compatible service, by its REST interface: five kinds of requests, each signed (SigV4).
 * What is stored is signed with its hash, so that the service refuses other bytes than we read.
 * @invariant no address but this bucket's is ever called, and no redirect is followed
 */
export function createS3Blobs({ place, fetch, timeoutMs }: S3Options): BlobStore {
  const { bucketUrl, region, accessKeyId, secretAccessKey } = place;
  // Of every header: also of those that a browser sets by itself, the length first of all.
  const identity = { service: 's3', region, accessKeyId, secretAccessKey, allHeaders: true } as const;

  async function call(request: Call): Promise<Response> {
    const { method, name, query = {}, headers = {}, body, answers } = request;
    const url = new URL(name === '' ? bucketUrl : `${bucketUrl}/${name}`);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const signer = new AwsV4Signer({
      ...identity,
      method,
      url: url.href,
      headers: { 'x-amz-content-sha256': hashOf(body), ...headers },
    });
    let response: Response;
    try {
      const signed = await signer.sign();
      response = await fetch(signed.url, {
        method,
        headers: signed.headers,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
        ...(body !== undefined && { body, duplex: 'half' }),
      });
    } catch (cause) {
      throw new DispatchError('unavailable', { detail: 'object store does not answer', cause });
    }
    if (answers.includes(response.status)) return response;
    await response.body?.cancel();
    return refuse('unavailable', { detail: `object store answered ${response.status}` });
  }

  return {
    async create(name, bytes) {
      const headers = { 'content-length': String(bytes.length), 'if-none-match': '*' };
      // 409: another one of the same name is being stored at this moment.
      const answers = [200, 201, 204, 409, 412];
      const { ok, body } = await call({ method: 'PUT', name, headers, body: bytes, answers });
      await body?.cancel();
      return ok;
    },
    async keep(name, body, expected) {
      const headers = { ...headersOf(expected), 'x-amz-content-sha256': expected.sha256 };
      const exact = body.pipe(exactly(expected));
      // Whoever reads it hears of it; until somebody does, it must not end the process.
      exact.on('error', () => undefined);
      body.once('error', (cause) => exact.destroy(cause));
      const answer = await call({ method: 'PUT', name, headers, body: exact, answers: [200, 201, 204] });
      await answer.body?.cancel();
    },
    async open(name) {
      const { status, body } = await call({ method: 'GET', name, answers: [200, 404] });
      if (status === 200 && body !== null) return Readable.fromWeb(body as ReadableStream);
      await body?.cancel();
      return null;
    },
    async list(prefix) {
      const found: Blob[] = [];
      for (let after: string | null = null; ; ) {
        const query = {
          'list-type': '2',
          prefix,
          ...(after !== null && { 'continuation-token': after }),
        };
        const answer = await call({ method: 'GET', name: '', query, answers: [200] });
        const { blobs, next } = readListing(await textOf(answer));
        found.push(...blobs);
        if (next === null) return found;
        after = next;
      }
    },
    async remove(name) {
      const { body } = await call({ method: 'DELETE', name, answers: [200, 204, 404] });
      await body?.cancel();
    },
    async signUpload(name, announced, lifetimeS) {
      const headers = { ...headersOf(announced), 'if-none-match': '*' };
      const url = new URL(`${bucketUrl}/${name}`);
      url.searchParams.set('X-Amz-Expires', String(lifetimeS));
      const signer = new AwsV4Signer({ ...identity, signQuery: true, method: 'PUT', url: url.href, headers });
      const signed = await signer.sign();
      return { method: 'PUT', url: signed.url.href, headers } satisfies SignedRequest;
    },
    async check() {
      const { body } = await call({ method: 'HEAD', name: '', answers: [200] });
      await body?.cancel();
    },
  };
}

/** What the service compares with the bytes that arrive. */
function headersOf({ sha256, sizeBytes, contentType }: Announced): Record<string, string> {
  return {
    'content-length': String(sizeBytes),
    'content-type': contentType,
    'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
  };
}

function hashOf(body: Call['body']): string {
  if (body instanceof Readable) return NOBODY_KNOWS;
  return createHash('sha256')
    .update(body ?? '')
    .digest('hex');
}

/** Passes the bytes on and fails before the last of them when they are not what they should be. */
function exactly({ sha256, sizeBytes }: Announced): Transform {
  const hash = createHash('sha256');
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      const isWrong = size > sizeBytes || (size === sizeBytes && hash.copy().digest('hex') !== sha256);
      if (isWrong)
        done(new DispatchError('unavailable', { detail: 'object store: other bytes than expected' }));
      else done(null, chunk);
    },
    flush(done) {
      if (size === sizeBytes) done();
      else done(new DispatchError('unavailable', { detail: 'object store: too few bytes' }));
    },
  });
}

async function textOf(answer: Response): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MOST_LISTING_BYTES) refuse('unavailable', { detail: 'object store: listing too long' });
      chunks.push(Buffer.from(chunk));
    }
  } catch (cause) {
    if (cause instanceof DispatchError) throw cause;
    throw new DispatchError('unavailable', { detail: 'object store does not answer', cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}
