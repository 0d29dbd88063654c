import { createHash } from 'node:crypto';
import {
  canonicalJson,
  generateSigningKeyPem,
  loadSigningKey,
  type ServiceKeyPair,
} from '@deadlatch/signing';
import { rootOf } from './append-events.ts';
import { formatCheckpoint, signCheckpoint } from './checkpoint.ts';
import { cosign } from './cosignature.ts';
import { formatExportLine } from './export-line.ts';
import { leafHash } from './hashing.ts';
import { formatNoteKey, noteKey } from './note-keys.ts';
import { type StoredLog, storedLog } from './stored-log.fixture.ts';
import type { LogTrust } from './verify-log.ts';
import { witnessPolicy } from './witness-policy.ts';

export const ORIGIN = 'deadlatch/demo';
export const START_MS = Date.parse('2026-03-01T12:00:00.000Z');
export const SLACK_MS = 60_000;
/** Between two events. */
const STEP_MS = 90_000;

/** The same id for the same number, so that logs of one test hold the same events. */
export function idOf(n: number): string {
  const hex = createHash('sha256').update(`event ${n}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The `n`-th event, small, with whatever is changed about it. */
export function eventOf(n: number, changes: object = {}): Uint8Array {
  const time = new Date(START_MS + n * STEP_MS).toISOString();
  return Buffer.from(canonicalJson({ v: 1, id: idOf(n), time, command: 'ticket.create', ...changes }));
}

export function eventsOf(n: number): Uint8Array[] {
  return Array.from({ length: n }, (_, i) => eventOf(i));
}

const newKey = () => loadSigningKey(generateSigningKeyPem());
export const logPair: ServiceKeyPair = newKey();
const witnesses = ['w1', 'w2'].map((name) => ({ name, pair: newKey() }));

export const TRUST: LogTrust = {
  logKey: noteKey('log', ORIGIN, logPair.publicKey),
  policy: witnessPolicy(
    2,
    witnesses.map(({ name, pair }) => formatNoteKey(noteKey('witness', name, pair.publicKey))),
  ),
  slackMs: SLACK_MS,
};

/** A log of these events, as it is stored. */
export function logOf(events: readonly Uint8Array[]): StoredLog {
  const log = storedLog();
  log.append(events);
  return log;
}

/** The checkpoint over these events, cosigned by as many witnesses. */
export function checkpointOf(events: readonly Uint8Array[], cosigners = 2, pair = logPair): Uint8Array {
  const edge = logOf(events).edge();
  const checkpoint = { origin: ORIGIN, size: edge.size, root: rootOf(edge) };
  const timeS = (START_MS + (events.length + 1) * STEP_MS) / 1000;
  const lines = witnesses
    .slice(0, cosigners)
    .map((witness) => cosign(formatCheckpoint(checkpoint), timeS, witness.name, witness.pair));
  return Buffer.from([signCheckpoint(checkpoint, pair), ...lines].join(''));
}

/** The lines of an export of these events, all in order. */
export function linesOf(events: readonly Uint8Array[]): Uint8Array[] {
  return events.map((event, index) => formatExportLine({ index, leafHash: leafHash(event), event }));
}
