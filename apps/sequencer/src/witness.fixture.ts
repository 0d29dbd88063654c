import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import {
  cosign,
  type SignedCheckpoint,
  sameBytes,
  verifyConsistency,
  verifyLogSignature,
} from '@deadlatch/audit-log';
import { DispatchError } from '@deadlatch/kernel';
import { type RequestShape, verifyRequest } from '@deadlatch/signing';
import { pinnedForGood } from '../../../test/support/pinned-for-good.ts';
import { ENVIRONMENT, type TestKeys } from '../../../test/support/signed-peer.ts';
import { readLogTrust } from './log-trust.ts';

/** A witness at the process edge: the protocol and the library, nothing of the real one's own. */
export interface TestWitness {
  readonly url: string;
  /** What it would answer by itself, changed or not answered at all: replaceable. */
  behave: (answer: Answer) => Promise<Answer> | Answer;
  /** What it has cosigned last. */
  readonly newest: () => SignedCheckpoint | undefined;
  /** Every note that came, with a good signature of the log, in the order of arrival. */
  readonly signed: readonly SignedCheckpoint[];
  /** Forgets or learns, as another machine would. */
  know(note: string | undefined): void;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const answer = (status: number, text: string, type = 'text/plain; charset=utf-8'): Answer => ({
  status,
  type,
  text,
});

/** Starts it on a port of its own; it accepts requests that the sequencer signed and no others. */
export async function startTestWitness(t: TestContext, keys: TestKeys, port = 0): Promise<TestWitness> {
  const trust = JSON.parse(JSON.stringify(keys.log.trust)) as typeof keys.log.trust;
  const { logKey, policy } = readLogTrust(() => trust);
  const signed: SignedCheckpoint[] = [];
  let known: { readonly checkpoint: SignedCheckpoint; readonly note: string } | undefined;

  const submit = (body: string): Answer => {
    const [head = '', ...rest] = body.split('\n\n');
    const note = rest.join('\n\n');
    const [first = '', ...lines] = head.split('\n');
    let checkpoint: SignedCheckpoint;
    try {
      checkpoint = verifyLogSignature(Buffer.from(note), logKey);
    } catch {
      return answer(403, 'unsigned\n');
    }
    signed.push(checkpoint);
    const older = Number(/^old (\d+)$/.exec(first)?.[1]);
    const size = known?.checkpoint.size ?? 0;
    if (older !== size) return answer(409, `${size}\n`, 'text/x.tlog.size');
    if (known !== undefined && !continues(known.checkpoint, checkpoint, lines))
      return answer(422, 'unproven\n');
    const line = cosign(
      checkpoint.text,
      Math.floor(Date.now() / 1000),
      policy.witnesses[0]?.name ?? '',
      keys.log.witness,
    );
    known = { checkpoint, note: note + line };
    return answer(200, line);
  };

  const peer: { behave: TestWitness['behave'] } = { behave: (own) => own };
  const server = createServer(async (request, response) => {
    try {
      const body = await bytesOf(request);
      prove(request, body, keys);
      const own =
        request.url === '/add-checkpoint'
          ? submit(body.toString())
          : answer(200, JSON.stringify(stateOf(known)), 'application/json');
      send(response, await peer.behave(own));
    } catch {
      request.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(peer, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    signed,
    newest: () => known?.checkpoint,
    know: (note: string | undefined) => {
      known =
        note === undefined ? undefined : { note, checkpoint: verifyLogSignature(Buffer.from(note), logKey) };
    },
  });
}

function stateOf(known: { readonly checkpoint: SignedCheckpoint; readonly note: string } | undefined) {
  return { note: known?.note ?? null, size: known?.checkpoint.size ?? 0, alarms: [] };
}

function continues(older: SignedCheckpoint, newer: SignedCheckpoint, lines: readonly string[]): boolean {
  const proof = lines.map((line) => Buffer.from(line, 'base64'));
  try {
    verifyConsistency({
      olderSize: older.size,
      olderRoot: older.root,
      size: newer.size,
      root: newer.root,
      proof,
    });
    return true;
  } catch (error) {
    if (error instanceof DispatchError) return false;
    throw error;
  }
}

/** Roots by size over all notes that were signed; throws when the log signed two for one size. */
export function assertOneTree(signed: readonly SignedCheckpoint[]): void {
  const roots = new Map<number, Uint8Array>();
  for (const { size, root } of signed) {
    const before = roots.get(size);
    if (before !== undefined && !sameBytes(before, root)) throw new Error(`two trees of size ${size}`);
    roots.set(size, root);
  }
}

function prove(request: IncomingMessage, body: Buffer, keys: TestKeys): void {
  const shapes: RequestShape[] = [
    { write: true, token: false, contentType: 'text/plain' },
    { write: false, token: false },
  ];
  const key = keys.service('sequencer');
  verifyRequest({
    method: request.method ?? '',
    target: request.url ?? '',
    rawHeaders: request.rawHeaders,
    body,
    shapes: shapes.filter(({ write }) => write === (request.method === 'POST')),
    audience: `spiffe://${ENVIRONMENT}.deadlatch/witness`,
    findKey: (keyId) =>
      keyId === pinnedForGood(key).keyid
        ? { ...key, service: 'sequencer', notBefore: 0, notAfter: Number.MAX_SAFE_INTEGER, revokedAt: null }
        : undefined,
    now: Date.now(),
  });
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, { 'content-type': type });
  response.end(text);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
