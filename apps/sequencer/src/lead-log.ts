import type { LogEdge, SignedCheckpoint } from '@deadlatch/audit-log';
import { DispatchError } from '@deadlatch/kernel';
import type { Pool } from '@deadlatch/postgres';
import { codeOf, traceOf } from '@deadlatch/telemetry';
import { type HaltReason, haltReasonOf } from './halt.ts';
import type { LogDatabase } from './log-database.ts';
import type { SequencerLogger } from './log-events.ts';
import type { LogTrust, SignTree } from './log-trust.ts';
import { openLog } from './open-log.ts';
import { pause } from './pause.ts';
import { publishCheckpoints } from './publish-checkpoints.ts';
import { sequenceEvents } from './sequence-events.ts';
import type { TileFiles } from './tile-files.ts';
import type { Witness } from './witness.ts';

/** Any constant does; it only has to be ours. */
const WRITER_LOCK = 4_375_001;
const TRY_AGAIN_MS = 500;
/** How often is looked whether what halted the log was put right. */
const CHECK_AGAIN_MS = 3_000;
/** How long a start asks the witness what it has seen, before it goes on without. */
const WITNESS_AT_START_MS = 2_000;
const WITNESS_PAUSE_MS = 200;

export interface LeadParts {
  readonly pool: Pool;
  /** the log's tables on the connection that holds the lock */
  readonly database: (connection: Pick<Pool, 'query'>) => LogDatabase;
  readonly files: TileFiles;
  readonly witness: Witness;
  /** how often an unchanged checkpoint is cosigned again */
  readonly heartbeatMs: number;
  /** Reads what is pinned. @throws a halt */
  readonly readTrust: () => LogTrust;
  /** Takes the log key into use. @throws a halt */
  readonly readSigner: (trust: LogTrust) => SignTree;
  readonly logger: SequencerLogger;
}

export interface Leader {
  /** @throws DispatchError `unavailable` while this process does not sequence */
  check(): Promise<void>;
  /** Ends with the batch that is under way. */
  stop(): Promise<void>;
}

interface State {
  isWriting: boolean;
  /** the newest checkpoint that a witness has shown us with our own signature */
  seen: SignedCheckpoint | undefined;
  /** what the log of this process last said about not sequencing */
  said: string | undefined;
}

/**
 * Sequences in one process at a time: the holder of a session's advisory lock. Behind the lock stands the epoch, since
 * a process can lose the lock without noticing.
 *
 * Nothing of a failure leaves this: the log is opened again, from what the database, the tiles and the witness say.
 * What needs a person (see `HaltReason`) is looked at again every few seconds, and nothing is sequenced meanwhile.
 * @source F.4, F.8, R.1
 */
export function startLeading(parts: LeadParts): Leader {
  const stopping = new AbortController();
  const state: State = { isWriting: false, seen: undefined, said: undefined };
  const loop = lead(parts, state, stopping.signal);
  return {
    async check() {
      if (!state.isWriting) throw new DispatchError('unavailable', { detail: state.said ?? 'not_opened' });
    },
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

async function lead(parts: LeadParts, state: State, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    let halted: HaltReason | undefined;
    try {
      await leadOnce(parts, state, signal);
    } catch (error) {
      halted = haltReasonOf(error);
      report(error, halted, parts.logger, state);
    }
    await pause(halted === undefined ? TRY_AGAIN_MS : CHECK_AGAIN_MS, signal);
  }
}

/** Said once, and again when it is another reason. */
function report(error: unknown, halted: HaltReason | undefined, logger: SequencerLogger, state: State): void {
  const trace = traceOf(error);
  const said = halted ?? [trace.error, trace.error_code, trace.place].join(' ');
  if (said === state.said) return;
  state.said = said;
  if (halted !== undefined) logger.event('log.halted', { reason: halted });
  else logger.event('log.interrupted', { code: codeOf(error), ...trace });
}

async function leadOnce(parts: LeadParts, state: State, signal: AbortSignal): Promise<void> {
  const connection = await parts.pool.connect();
  const lost = new AbortController();
  const lose = () => lost.abort();
  connection.on('error', lose).on('end', lose);
  let isHeld = false;
  try {
    const { rows } = await connection.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
      WRITER_LOCK,
    ]);
    isHeld = rows[0]?.held === true;
    if (isHeld) await write(parts.database(connection), parts, state, AbortSignal.any([signal, lost.signal]));
  } finally {
    state.isWriting = false;
    connection.removeListener('error', lose).removeListener('end', lose);
    // Closing the connection gives the lock back, whatever state it is in.
    connection.release(isHeld || lost.signal.aborted);
  }
}

/** Opens the log, then sequences and publishes until either fails. */
async function write(
  database: LogDatabase,
  parts: LeadParts,
  state: State,
  signal: AbortSignal,
): Promise<void> {
  const { files, witness, logger } = parts;
  const trust = parts.readTrust();
  const sign = parts.readSigner(trust);
  const saw = (seen: SignedCheckpoint) => {
    if (seen.size > (state.seen?.size ?? 0)) state.seen = seen;
  };
  const atWitness = await askWitness(witness, trust, signal);
  if (atWitness !== undefined) saw(atWitness);
  const { epoch, edge, publishedSize } = await openLog({ database, files, trust, seen: state.seen });
  logger.event('log.opened', { epoch, size: edge.size, published: publishedSize });
  state.said = undefined;
  state.isWriting = true;
  let tree: LogEdge = edge;
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  const ended = await Promise.allSettled(
    [
      sequenceEvents(
        {
          database,
          files,
          epoch,
          edge,
          stored: (next) => {
            tree = next;
            logger.event('log.sequenced', { size: next.size });
          },
        },
        until,
      ),
      publishCheckpoints(
        {
          ...{ database, files, epoch, trust, sign, witness, saw },
          heartbeatMs: parts.heartbeatMs,
          tree: () => tree,
          published: (size) => logger.event('log.published', { size }),
          waits: (reason) => logger.event('log.waits_for_witness', { reason }),
        },
        until,
      ),
    ].map((work) => work.finally(() => failed.abort())),
  );
  const failure = ended.find((one) => one.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/** What the witness has seen, if it says so soon: it knows of a past that was lost here altogether. */
async function askWitness(
  witness: Witness,
  { logKey }: LogTrust,
  signal: AbortSignal,
): Promise<SignedCheckpoint | undefined> {
  const until = performance.now() + WITNESS_AT_START_MS;
  while (!signal.aborted && performance.now() < until) {
    try {
      return await witness.latest(logKey);
    } catch (error) {
      if (!(error instanceof DispatchError)) throw error;
    }
    await pause(WITNESS_PAUSE_MS, signal);
  }
  return undefined;
}
