import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import {
  type EVIDENCE_CONTENT_TYPES,
  MAX_EVIDENCE_BYTES,
  MAX_EVIDENCE_PIXELS,
  UNUSABLE_REASONS,
  type UnusableReason,
} from '@deadlatch/catalogue';
import { refuse } from '@deadlatch/kernel';
import type { DecoderCommand } from './decoder-command.ts';

type ContentType = (typeof EVIDENCE_CONTENT_TYPES)[number];

/** What became of a picture. */
export type Decoded =
  | { readonly kind: 'unusable'; readonly reason: UnusableReason }
  | {
      readonly kind: 'picture';
      readonly sizeBytes: number;
      readonly sha256: string;
      readonly bytes: Readable;
      /** Ends the program that still sends the bytes; nothing happens when it has ended. */
      readonly abandon: () => void;
    };

export type Decoder = (type: ContentType, body: Readable) => Promise<Decoded>;

export interface DecoderLimits {
  /** For one picture, from the start of its program to its last byte. */
  readonly timeMs: number;
  readonly atOnce: number;
  /** Pictures that wait for their turn; beyond, they are refused. */
  readonly waiting: number;
}

const PICTURE_LIMITS = [MAX_EVIDENCE_BYTES, MAX_EVIDENCE_PIXELS].map(String);

/** Twelve million pixels take a second of one core, which others may want too. */
const LIMITS: DecoderLimits = { timeMs: 15_000, atOnce: 2, waiting: 16 };

/**
 * Decodes each picture in a program of its own, which ends with it. A picture that kills, hangs or takes over its
 * program does that to nobody else's.
 * @returns throws DispatchError `unavailable` when too many pictures wait, or the sender went away
 */
export function createDecoder(command: DecoderCommand, limits: DecoderLimits = LIMITS): Decoder {
  const turns = createTurns(limits);
  return async (type, body) => {
    // While it waits nobody reads it; that it fails then must not end this process.
    body.on('error', () => undefined);
    const done = await turns.take();
    if (body.destroyed) {
      // Its sender went away while it waited: whoever waits behind it shall not wait for nobody.
      done();
      return refuse('unavailable', { detail: 'sender_gone' });
    }
    const child = spawn(command.program, [...command.args, type, ...PICTURE_LIMITS], {
      env: { UV_THREADPOOL_SIZE: '2', MALLOC_ARENA_MAX: '2' },
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    });
    const end = () => {
      child.kill('SIGKILL');
    };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, limits.timeMs);
    // Once: a program that could not be started may be said to have ended as well.
    let isOver = false;
    const over = () => {
      clearTimeout(timer);
      if (!isOver) done();
      isOver = true;
    };
    child.once('exit', over).once('error', over);
    try {
      return await converse(child, body, end, () => isLate);
    } catch (error) {
      end();
      throw error;
    }
  };
}

async function converse(
  child: ChildProcess,
  body: Readable,
  abandon: () => void,
  isLate: () => boolean,
): Promise<Decoded> {
  // Each is a pipe, as `spawn` was told.
  const [stdin, bytes, , words] = child.stdio as unknown as [Writable, Readable, null, Readable];
  let isSenderGone = false;
  body.once('error', () => {
    isSenderGone = true;
    abandon();
  });
  // A program that ends early takes no more of it; what it said says why.
  for (const channel of [stdin, bytes, words, child]) channel.on('error', () => undefined);
  body.pipe(stdin);
  const verdict = readVerdict(await collect(words));
  if (verdict === null) {
    abandon();
    // Of a picture that did not arrive nothing is said.
    if (isSenderGone) return refuse('unavailable', { detail: 'sender_gone' });
    return { kind: 'unusable', reason: isLate() ? 'too_slow' : 'decoder_failed' };
  }
  return 'reason' in verdict
    ? { kind: 'unusable', reason: verdict.reason }
    : { kind: 'picture', ...verdict, bytes, abandon };
}

const MOST_WORDS = 200;

async function collect(words: Readable): Promise<string> {
  let said = '';
  for await (const chunk of words.setEncoding('utf8') as AsyncIterable<string>) {
    if (said.length <= MOST_WORDS) said += chunk;
  }
  return said;
}

type Verdict = { readonly reason: UnusableReason } | { readonly sizeBytes: number; readonly sha256: string };

/** One line of the decoder, which may be somebody else's by now: nothing but these forms is taken. */
function readVerdict(said: string): Verdict | null {
  const [, reason] = /^unusable ([a-z_]{1,40})\n$/.exec(said) ?? [];
  const known = UNUSABLE_REASONS.find((one) => one === reason);
  if (known !== undefined) return { reason: known };
  const [, size, sha256] = /^picture ([1-9][0-9]{0,8}) ([0-9a-f]{64})\n$/.exec(said) ?? [];
  if (size === undefined || sha256 === undefined || Number(size) > MAX_EVIDENCE_BYTES) return null;
  return { sizeBytes: Number(size), sha256 };
}

/** So many at once; the others wait in the order they came. */
function createTurns({ atOnce, waiting }: DecoderLimits): { take(): Promise<() => void> } {
  let running = 0;
  const queue: (() => void)[] = [];
  const give = () => {
    running -= 1;
    queue.shift()?.();
  };
  return {
    async take() {
      if (running >= atOnce) {
        if (queue.length >= waiting) refuse('unavailable', { detail: 'too_many_pictures' });
        await new Promise<void>((resolve) => queue.push(resolve));
      }
      running += 1;
      return give;
    },
  };
}
