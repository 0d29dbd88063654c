import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@deadlatch/http';
import { refuse, toInstant } from '@deadlatch/kernel';
import { createQueue, readIfThere, replaceDurably } from './durable-file.ts';
import { type Alarm, type Entry, formatEntry, parseEntry } from './ledger-entry.ts';

/** A promise of an event that was not yet seen in the log. */
export interface PendingReceipt {
  /** base64url */
  readonly leafHash: string;
  readonly eventId: string;
  /** of the event, by the database's clock */
  readonly time: string;
  /** when it was handed over, milliseconds of the steady clock; negative for one from before the start */
  readonly since: number;
}

/** What the witness was promised and what it found missing, kept through any crash. */
export interface Ledger {
  /** In the order they were handed over. */
  pending(): readonly PendingReceipt[];
  /** How many have been waiting for at least so many milliseconds. */
  waitingFor(ms: number): number;
  alarms(): readonly Alarm[];
  /**
   * Takes receipts over; once this returns, a power cut cannot lose them. Those that wait already are left as they are.
   * @throws DispatchError `rate_limited` when there is no room: forgetting one would be to let an omission pass;
   * `unavailable` when the disk does not take them
   */
  take(receipts: readonly Omit<PendingReceipt, 'since'>[]): Promise<void>;
  /** These were found in the log: they wait no longer, and their alarms are over. */
  settle(leafHashes: readonly string[]): Promise<void>;
  /** Raises what is not standing yet. It stands from this call on, even if the disk fails. */
  raise(alarms: readonly Alarm[]): Promise<void>;
  /** Gives up these events, although nobody showed them: people accepted that they are gone. */
  forgive(eventIds: readonly string[]): Promise<void>;
  /**
   * Takes over that people accepted a restore, and with it the tree that the witness knows. Once for each.
   * @param mark names the restore
   * @returns whether it is new
   */
  takeRestore(mark: string): Promise<boolean>;
  /** When the newest accepted restore was taken over, epoch ms: what was promised before may be gone. */
  restoredAt(): number;
  /** Whether what happened can be written down. */
  isWritable(): boolean;
  close(): Promise<void>;
}

/** At 600 commands a second, what comes in before `late`; then callers keep their receipts themselves. */
const MAX_PENDING = 65_536;
/** Lines that are over before the file is written anew. */
const MAX_SPENT_LINES = 8_192;
const SPLIT_VIEW = 'split_view';

/**
 * Opens the ledger: one file to which lines are appended, written anew when most of them are over. A line that was cut
 * off by a crash was never promised to anybody.
 * @param options.steady milliseconds of a clock that is never set
 * @throws ConfigError when a line in the middle is damaged
 * @invariant an alarm is lowered only after that is on the disk, and stands before it is
 */
export async function openLedger(options: {
  readonly directory: string;
  readonly now: () => number;
  readonly steady: () => number;
  readonly maxPending?: number;
}): Promise<Ledger> {
  const { now, steady, maxPending = MAX_PENDING } = options;
  const path = join(options.directory, 'ledger.jsonl');
  const pending = new Map<string, PendingReceipt & { readonly at: number }>();
  const alarms = new Map<string, Alarm>();
  const restores = new Map<string, number>();
  const inTurn = createQueue();

  const apply = (entry: Entry): void => {
    if (entry.kind === 'receipt') {
      const { leafHash, eventId, time, at } = entry;
      // Time in which nobody looked at the log counts, but not a clock that was set.
      const since = steady() - Math.max(0, now() - at);
      if (!pending.has(leafHash)) pending.set(leafHash, { leafHash, eventId, time, at, since });
    } else if (entry.kind === 'alarm') {
      const key = entry.alarm.leafHash ?? SPLIT_VIEW;
      if (!alarms.has(key)) alarms.set(key, entry.alarm);
    } else if (entry.kind === 'restored') {
      restores.set(entry.mark, entry.at);
    } else {
      pending.delete(entry.key);
      alarms.delete(entry.key);
    }
  };

  const bytes = await readIfThere(path);
  const lines = (bytes?.toString('utf8') ?? '').split('\n');
  // What comes after the last line feed is half a line, or nothing.
  for (const line of lines.slice(0, -1)) apply(parseEntry(line) ?? damaged());

  let file: FileHandle | undefined;
  let length = 0;
  let spent = 0;
  let isBroken = false;
  /** Alarms that stand and that the disk did not take yet; tried again with the next one. */
  const unwritten: Entry[] = [];

  const rewrite = async (): Promise<void> => {
    const entries: Entry[] = [
      ...[...pending.values()].map((receipt) => ({ kind: 'receipt' as const, ...receipt })),
      ...[...alarms.values()].map((alarm) => ({ kind: 'alarm' as const, alarm })),
      ...[...restores].map(([mark, at]) => ({ kind: 'restored' as const, mark, at })),
    ];
    const content = Buffer.from(entries.map(formatEntry).join(''));
    await replaceDurably(path, content);
    await file?.close();
    file = await open(path, 'a', 0o600);
    length = content.byteLength;
    spent = 0;
  };
  await rewrite();

  const append = async (entries: readonly Entry[]): Promise<void> => {
    if (entries.length === 0) return;
    if (isBroken || file === undefined) return refuse('unavailable', { detail: 'ledger_broken' });
    const content = Buffer.from(entries.map(formatEntry).join(''));
    try {
      await file.appendFile(content);
      await file.datasync();
      length += content.byteLength;
    } catch (cause) {
      // Half a line must not stand before a whole one.
      await file.truncate(length).catch(() => {
        isBroken = true;
      });
      return refuse('unavailable', { detail: 'ledger_not_written', cause });
    }
  };

  return {
    pending: () => [...pending.values()],
    waitingFor: (ms) => {
      const before = steady() - ms;
      let count = 0;
      for (const { since } of pending.values()) if (since <= before) count += 1;
      return count;
    },
    alarms: () => [...alarms.values()],
    take: (receipts) =>
      inTurn(async () => {
        const added = new Map(
          receipts
            .filter(({ leafHash }) => !pending.has(leafHash))
            .map((receipt) => [receipt.leafHash, receipt]),
        );
        if (pending.size + added.size > maxPending) refuse('rate_limited', { detail: 'too_many_pending' });
        const at = now();
        const entries = [...added.values()].map((receipt) => ({ kind: 'receipt' as const, ...receipt, at }));
        await append(entries);
        for (const entry of entries) pending.set(entry.leafHash, { ...entry, since: steady() });
      }),
    settle: (leafHashes) =>
      inTurn(async () => {
        const over = leafHashes.filter((key) => pending.has(key) || alarms.has(key));
        const entries = over.map((key) => ({ kind: 'over' as const, key }));
        await append(entries);
        entries.forEach(apply);
        spent += 2 * entries.length;
        if (spent > MAX_SPENT_LINES) await rewrite();
      }),
    raise: (raised) => {
      const fresh = raised.filter(({ leafHash }) => !alarms.has(leafHash ?? SPLIT_VIEW));
      const entries = fresh.map((alarm) => ({ kind: 'alarm' as const, alarm }));
      entries.forEach(apply);
      unwritten.push(...entries);
      return inTurn(async () => {
        const count = unwritten.length;
        await append(unwritten.slice(0, count));
        unwritten.splice(0, count);
      });
    },
    forgive: (eventIds) =>
      inTurn(async () => {
        const given = new Set(eventIds);
        const found = [...pending.values()].filter(({ eventId }) => given.has(eventId));
        const entries = found.map(({ leafHash }) => ({ kind: 'over' as const, key: leafHash }));
        await append(entries);
        entries.forEach(apply);
      }),
    takeRestore: (mark) =>
      inTurn(async () => {
        if (restores.has(mark)) return false;
        const entries: Entry[] = [
          { kind: 'restored', mark, at: now() },
          { kind: 'over', key: SPLIT_VIEW },
        ];
        await append(entries);
        entries.forEach(apply);
        return true;
      }),
    restoredAt: () => Math.max(Number.NEGATIVE_INFINITY, ...restores.values()),
    isWritable: () => !isBroken,
    close: () => inTurn(async () => file?.close()),
  };
}

/** An alarm about one receipt, raised now. */
export function alarmOf(kind: 'omitted' | 'late', receipt: PendingReceipt, now: number): Alarm {
  const { leafHash, eventId } = receipt;
  return { kind, leafHash, eventId, time: toInstant(now), evidence: [] };
}

function damaged(): never {
  throw new ConfigError(['ledger.jsonl in WITNESS_DIR is damaged: bring it back from a copy']);
}
