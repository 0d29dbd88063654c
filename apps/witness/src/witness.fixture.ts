import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  appendEvents,
  consistencyProof,
  emptyEdge,
  emptyRoot,
  hashesFromTiles,
  inclusionProof,
  leafHash,
  rangeRoot,
  signCheckpoint,
} from '@deadlatch/audit-log';
import type { ServiceName } from '@deadlatch/catalogue';
import { toInstant } from '@deadlatch/kernel';
import { type Receipt, type ServiceKeyPair, signReceipt, signRequest } from '@deadlatch/signing';
import {
  ENVIRONMENT,
  makeTestKeys,
  type PeerAnswer,
  type PeerCall,
  signedWrite,
  startSignedPeer,
  type TestKeys,
  until,
} from '../../../test/support/signed-peer.ts';
import { compose } from './compose.ts';

export const ORIGIN = `${ENVIRONMENT}.deadlatch/audit`;
const API = `spiffe://${ENVIRONMENT}.deadlatch/dispatch-api`;
export const SENDERS: readonly ServiceName[] = ['sequencer', 'witness', 'web', 'tool-bridge', 'gateway'];

/** A log that does what it is told: built from the pure library, so that its lies are well made. */
export function scriptedLog(key: ServiceKeyPair) {
  const entries: Uint8Array[] = [];
  const times: string[] = [];
  const files = new Map<string, Uint8Array>();
  let edge = emptyEdge();
  const hashAt = (size: number) => hashesFromTiles(size, (path) => files.get(path));
  const rootAt = (size: number) => (size === 0 ? emptyRoot() : rangeRoot(0, size, hashAt(size)));
  const log = {
    size: () => edge.size,
    append(...events: readonly Uint8Array[]) {
      // One by one, so that the tiles of every size are there.
      for (const event of events) {
        const appended = appendEvents(edge, [event]);
        for (const { path, bytes } of appended.files) files.set(path, bytes);
        entries.push(event);
        times.push(toInstant(Date.now()));
        edge = appended.edge;
      }
    },
    rootAt,
    note: (size = edge.size, origin = ORIGIN, signer = key) =>
      signCheckpoint({ origin, size, root: rootAt(size) }, signer),
    consistency: (older: number, size = edge.size) => consistencyProof(older, size, hashAt(size)),
    /** The body of `add-checkpoint` from this size on. */
    submission: (older: number, size = edge.size) =>
      bodyOf(older, log.consistency(older, size), log.note(size)),
    proofOf(hash: string, size: number) {
      const index = entries.findIndex((entry) => Buffer.from(leafHash(entry)).toString('base64url') === hash);
      if (index < 0 || index >= size) return { leaf_hash: hash, index: null };
      const hashes = inclusionProof(index, size, hashAt(size)).map((one) =>
        Buffer.from(one).toString('base64url'),
      );
      return { leaf_hash: hash, index, hashes };
    },
    /** What an honest sequencer answers, in whose database nothing waits unless told. */
    proofs: ({ body }: PeerCall, oldest?: string): PeerAnswer => ({
      status: 200,
      body: {
        checkpoint: log.note(),
        proofs: (body.leaf_hashes as string[]).map((hash) => log.proofOf(hash, body.size as number)),
        oldest_unsequenced: oldest ?? times[body.size as number] ?? null,
      },
    }),
  };
  return log;
}

export type ScriptedLog = ReturnType<typeof scriptedLog>;

export function bodyOf(older: number, proof: readonly Uint8Array[], note: string): string {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${older}\n${lines.join('')}\n${note}`;
}

export interface World {
  readonly keys: TestKeys;
  readonly log: ScriptedLog;
  readonly directory: string;
  /** Replaceable: what the sequencer answers to `POST /v1/proofs`; throwing cuts the connection. */
  readonly sequencer: {
    answer: (call: PeerCall) => PeerAnswer | Promise<PeerAnswer>;
    readonly calls: PeerCall[];
  };
  /** Milliseconds by which the wall clock and the steady one are ahead of the real ones. */
  readonly clock: { wall: number; steady: number };
  /** Settings for a process of its own. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts a witness in this process on what the one before left behind. */
  start(): Promise<RunningWitness>;
}

export interface RunningWitness {
  readonly url: string;
  readonly lines: string[];
  close(): Promise<void>;
}

/** Keys, a log, a sequencer that answers from it, and an empty folder. Everything goes when the test ends. */
export async function createWorld(t: TestContext): Promise<World> {
  const keys = await makeTestKeys(t, SENDERS);
  const log = scriptedLog(keys.log.log);
  const root = await mkdtemp(join(tmpdir(), 'deadlatch-witness-'));
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 3 }));
  const directory = join(root, 'witness');
  await mkdir(directory);
  const sequencer = await startSignedPeer(t, {
    name: 'sequencer',
    sender: { name: 'witness', key: keys.service('witness') },
    answer: (call) => log.proofs(call),
  });
  const clock = { wall: 0, steady: 0 };
  const env = {
    DEADLATCH_ENVIRONMENT: ENVIRONMENT,
    DEADLATCH_KEY_DIR: keys.directoryFor('witness', { 'witness.pem': keys.log.witnessPem }),
    DEADLATCH_HOST: '127.0.0.1',
    SEQUENCER_URL: sequencer.url,
    WITNESS_DIR: directory,
  };
  return {
    keys,
    log,
    directory,
    sequencer,
    clock,
    env,
    start: async () => {
      const lines: string[] = [];
      const running = await compose(
        {
          ...env,
          DEADLATCH_PORT: 0,
          DEADLATCH_MTLS: 'mesh',
          DEADLATCH_LOG_LEVEL: 'debug',
          OTEL_EXPORTER_OTLP_ENDPOINT: null,
        },
        {
          now: () => Date.now() + clock.wall,
          steady: () => performance.now() + clock.steady,
          random: (n) => randomBytes(n),
          fetch,
          write: (line) => lines.push(line),
        },
      );
      await nextSecond();
      let isOpen = true;
      const close = async () => {
        if (isOpen) await running.close();
        isOpen = false;
      };
      t.after(close);
      return { url: running.url, lines, close };
    },
  };
}

/** What was signed in the second of the start is refused: it could be from before. */
export function nextSecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_001 - (Date.now() % 1_000)));
}

/** A submission as the sequencer would send it, or another service under its own name. */
export function submit(
  url: string,
  keys: TestKeys,
  body: string,
  sender: ServiceName = 'sequencer',
): Promise<Response> {
  const bytes = new Uint8Array(Buffer.from(body));
  const headers = signRequest({
    method: 'POST',
    target: '/add-checkpoint',
    body: bytes,
    shape: { write: true, token: false, contentType: 'text/plain' },
    idempotencyKey: randomUUID(),
    key: keys.service(sender),
    audience: `spiffe://${ENVIRONMENT}.deadlatch/witness`,
    now: Date.now(),
  });
  return fetch(`${url}/add-checkpoint`, { method: 'POST', headers, body: bytes });
}

/** Hands receipts over. @returns the answer's body; its status when it is none of 200 */
export async function handOver(
  url: string,
  keys: TestKeys,
  receipts: readonly string[],
  sender: ServiceName = 'web',
): Promise<{ readonly accepted: number; readonly refused: readonly number[] } | number> {
  const write = signedWrite({
    target: '/v1/receipts',
    body: { receipts },
    key: keys.service(sender),
    audience: 'witness',
  });
  const response = await fetch(`${url}/v1/receipts`, write);
  return response.ok ? ((await response.json()) as never) : response.status;
}

export interface Shown {
  readonly note: string | null;
  readonly size: number;
  readonly alarms: readonly {
    readonly event_id: string | null;
    readonly time: string;
    readonly kind: string;
  }[];
}

/** What the witness shows. */
export async function look(url: string, keys: TestKeys): Promise<Shown> {
  const headers = signRequest({
    method: 'GET',
    target: '/v1/checkpoint',
    body: new Uint8Array(),
    shape: { write: false, token: false },
    key: keys.service('sequencer'),
    audience: `spiffe://${ENVIRONMENT}.deadlatch/witness`,
    now: Date.now(),
  });
  return (await (await fetch(`${url}/v1/checkpoint`, { headers })).json()) as Shown;
}

/** An event and the receipt for it. */
export function promised(
  key: ServiceKeyPair,
  changes: Partial<Receipt> = {},
): { readonly event: Uint8Array; readonly id: string; readonly token: string } {
  const id = changes.event_id ?? randomUUID();
  const event = Buffer.from(JSON.stringify({ id, n: randomBytes(8).toString('hex') }));
  const receipt: Receipt = {
    iss: API,
    origin: ORIGIN,
    event_id: id,
    leaf_hash: Buffer.from(leafHash(event)).toString('base64url'),
    time: toInstant(Date.now()),
    ...changes,
  };
  return { event, id, token: signReceipt(receipt, key) };
}

/** Events of no interest. */
export const filler = (n: number) => Array.from({ length: n }, () => Buffer.from(randomUUID()));

/** A witness that has cosigned a log of five events, and what it says of alarms from now on. */
export async function running(world: World) {
  world.log.append(...filler(5));
  const witness = await world.start();
  assert.equal((await submit(witness.url, world.keys, world.log.submission(0))).status, 200);
  const alarms = async () => (await look(witness.url, world.keys)).alarms;
  const kinds = async () => (await alarms()).map(({ kind }) => kind);
  /** So many rounds of questions were answered from now on. */
  const asked = async (rounds = 2) => {
    const before = world.sequencer.calls.length;
    await until(() => world.sequencer.calls.length >= before + rounds);
  };
  const cosigns = async () => {
    const { size } = await look(witness.url, world.keys);
    return (await submit(witness.url, world.keys, world.log.submission(size))).status === 200;
  };
  return { ...witness, alarms, kinds, asked, cosigns };
}
