import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** What became of one command, as its sender knows it. */
export interface Settled {
  readonly client: string;
  readonly command: string;
  readonly key: string;
  readonly targetId: string | null;
  readonly attempts: number;
  /** The answer's event, or null for a refusal. */
  readonly eventId: string | null;
  /** Code of the refusal, or null for an acceptance. */
  readonly code: string | null;
  readonly result: Readonly<Record<string, unknown>>;
  readonly ticket: { readonly id: string; readonly state: string } | null;
}

/** One attempt: `code` is `unavailable` for every answer that leaves open what happened, and for none at all. */
export type Attempt =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly code: string; readonly reason?: unknown };

/** Sends one command once. Never throws. */
export type SendOnce = (
  command: string,
  targetId: string | null,
  input: object,
  key: string,
) => Promise<Attempt>;

/** Says nothing of the outcome: the same key is sent until there is an answer. */
const OPEN: ReadonlySet<string> = new Set(['unavailable', 'rate_limited']);
const PAUSE_MS = 300;
const PATIENCE_MS = 120_000;

/** Whether somebody is being killed over and over: as long as that lasts, nobody can demand an answer. */
export interface Outage {
  lasts: boolean;
}

/**
 * A client as it should be: one key for each command, and after a cut or an outage the same command under the same
 * key, until it knows.
 * @param outage its patience begins when this is over
 */
export function createPersistentClient(
  client: string,
  sendOnce: SendOnce,
  { settled, outage }: { readonly settled: Settled[]; readonly outage: Outage },
) {
  const untilKnown = async (command: string, targetId: string | null, input: object, key: string) => {
    let deadline = Date.now() + PATIENCE_MS;
    for (let attempts = 1; ; attempts += 1) {
      const answer = await sendOnce(command, targetId, input, key);
      if (!answer.ok && OPEN.has(answer.code)) {
        if (outage.lasts) deadline = Date.now() + PATIENCE_MS;
        if (Date.now() > deadline) throw new Error(`${client}: no answer to ${command} for two minutes`);
        await sleep(PAUSE_MS);
        continue;
      }
      const body = answer.ok ? answer.body : {};
      const outcome: Settled = {
        client,
        command,
        key,
        targetId,
        attempts,
        eventId: answer.ok ? String(body.event_id) : null,
        code: answer.ok ? null : answer.code,
        result: (body.result ?? {}) as Settled['result'],
        ticket: (body.ticket ?? null) as Settled['ticket'],
      };
      settled.push(outcome);
      return outcome;
    }
  };
  return {
    send: (command: string, targetId: string | null, input: object) =>
      untilKnown(command, targetId, input, randomUUID()),
    /** The same command twice at the same moment, as two impatient clicks. */
    sendTwice: async (command: string, targetId: string | null, input: object) => {
      const key = randomUUID();
      const both = [1, 2].map(() => untilKnown(command, targetId, input, key));
      return Promise.all(both);
    },
  };
}

export type PersistentClient = ReturnType<typeof createPersistentClient>;
