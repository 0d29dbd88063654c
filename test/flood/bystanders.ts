import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from '../scenario/people.ts';
import type { Stage } from '../scenario/stage.ts';

/** What people who have nothing to do with the flood met. */
export interface Met {
  /** Milliseconds of every command, in the order they were sent. */
  readonly commandsMs: readonly number[];
  /** Codes of commands that were not accepted. */
  readonly refused: readonly string[];
  /** Texts of a contact on file that the gateway took over. */
  readonly texts: number;
}

export interface Pace {
  readonly commandEveryMs: number;
  readonly textEveryMs: number;
}

/** A dispatcher who opens tickets at the console, and a store manager who texts, until told to stop. */
export async function meanwhile(stage: Stage, siteId: string, pace: Pace, stop: AbortSignal): Promise<Met> {
  const dana = await stage.as('dana-dispatcher');
  const [commands, texts] = await Promise.all([
    openTickets(dana, siteId, pace.commandEveryMs, stop),
    writeTexts(stage, pace.textEveryMs, stop),
  ]);
  return { ...commands, texts };
}

async function openTickets(person: Person, siteId: string, everyMs: number, stop: AbortSignal) {
  const [commandsMs, refused]: [number[], string[]] = [[], []];
  await repeat(everyMs, stop, async () => {
    const from = performance.now();
    const { seen } = await person.command('ticket.create', null, { site_id: siteId });
    commandsMs.push(performance.now() - from);
    if (seen.status !== 200) refused.push(String(seen.body.code ?? seen.status));
  });
  return { commandsMs, refused };
}

async function writeTexts(stage: Stage, everyMs: number, stop: AbortSignal): Promise<number> {
  let texts = 0;
  await repeat(everyMs, stop, async () => {
    await stage.phones.text('maria-manager', `the front door does not lock (${texts})`);
    texts += 1;
  });
  return texts;
}

async function repeat(everyMs: number, stop: AbortSignal, once: () => Promise<void>): Promise<void> {
  while (!stop.aborted) {
    const from = performance.now();
    await once();
    await sleep(Math.max(0, everyMs - (performance.now() - from)), undefined, { signal: stop }).catch(
      () => undefined,
    );
  }
}

/** The value below which this share of all lies; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
