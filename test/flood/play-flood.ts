import { setTimeout as sleep } from 'node:timers/promises';
import { readRunFile } from '../../apps/cli/src/run-file.ts';
import { createStage } from '../scenario/create-stage.ts';
import { type Met, meanwhile, type Pace } from './bystanders.ts';
import { growthOf, type Holdings, takeStock } from './growth.ts';
import { createPoster, type Outcomes, type PumpOptions, pump } from './pump.ts';
import { createTexter, refusedRequests, strangerAt } from './senders.ts';

export interface FloodOptions {
  /** How many are refused, and then how many texts of strangers come; none of one leaves it out. */
  readonly requests: number;
  readonly texts: number;
  readonly requestsPerSecond: number;
  readonly textsPerSecond: number;
  /** How long people are watched before, between and after the floods, in milliseconds. */
  readonly calmMs: number;
  readonly pace: Pace;
}

/** One of the floods, and what became of everybody else. */
export interface Flooded {
  readonly outcomes: Outcomes;
  readonly met: Met;
  readonly growth: Holdings;
  readonly seconds: number;
}

export interface Played {
  /** Before, between and after the floods. */
  readonly calm: readonly [Met, Met, Met];
  readonly refusals: Flooded;
  readonly strangers: Flooded;
}

/** How long what was taken over from contacts on file may take to be there, and how often is looked. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 1_000;

/** Floods a running demo twice: with requests that are refused, then with texts of people whom nobody knows. */
export async function playFlood(stateDir: string, options: FloodOptions): Promise<Played> {
  const run = await readRunFile(stateDir);
  const stage = createStage(run);
  const mariaId = run.subjects['maria-manager']?.id ?? '';
  const during = async <T>(work: () => Promise<T>): Promise<{ result: T; met: Met }> => {
    const over = new AbortController();
    const met = meanwhile(stage, run.site_id ?? '', options.pace, over.signal);
    const result = await work().finally(() => over.abort());
    return { result, met: await met };
  };
  /** What there is once every text of the contact is; or, when they do not come, what there is then. */
  const stockWith = async (texts: number): Promise<Holdings> => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      await sleep(LOOK_MS);
      const stock = await takeStock(stateDir, mariaId);
      if (stock.mariasMessages >= texts || performance.now() > deadline) return stock;
    }
  };
  const flooded = async (before: Holdings, flood: PumpOptions): Promise<Flooded> => {
    const from = performance.now();
    const { result: outcomes, met } = await during(() => pump(flood));
    const after = await stockWith(before.mariasMessages + met.texts);
    const seconds = (performance.now() - from) / 1000;
    return { outcomes, met, growth: growthOf(before, after), seconds };
  };

  const poster = createPoster();
  try {
    const calmly = async (): Promise<{ met: Met; stock: Holdings }> => {
      const before = await takeStock(stateDir, mariaId);
      const { met } = await during(() => sleep(options.calmMs));
      return { met, stock: await stockWith(before.mariasMessages + met.texts) };
    };
    const before = await calmly();
    const kinds = refusedRequests(stage);
    const refusals = await flooded(before.stock, {
      count: options.requests,
      perSecond: options.requestsPerSecond,
      send: (at) => poster.post((kinds[at % kinds.length] as (typeof kinds)[number])(at)),
    });
    const between = await calmly();
    const text = await createTexter(stateDir, stage.at.gateway);
    const strangers = await flooded(between.stock, {
      count: options.texts,
      perSecond: options.textsPerSecond,
      send: (at) => poster.post(text({ from: strangerAt(at), body: `is anybody there? (${at})` })),
    });
    const after = await calmly();
    return { calm: [before.met, between.met, after.met], refusals, strangers };
  } finally {
    poster.close();
  }
}
