import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often each outcome came back: an HTTP status, or `none` without an answer. */
export type Outcomes = Record<string, number>;

export interface PumpOptions {
  readonly count: number;
  /** Requests begun each second, whatever became of those before; no more than there is room for. */
  readonly perSecond: number;
  readonly send: (at: number) => Promise<string>;
}

const MOST_UNDER_WAY = 256;
const TICK_MS = 10;

/** Sends so many, at that pace and not at that of the answers. */
export async function pump({ count, perSecond, send }: PumpOptions): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  const under = new Set<Promise<void>>();
  const began = performance.now();
  for (let at = 0; at < count; ) {
    const due = Math.min(count, Math.ceil(((performance.now() - began) / 1000) * perSecond));
    while (at < due && under.size < MOST_UNDER_WAY) {
      const one = send(at)
        .catch(() => 'none')
        .then((outcome) => {
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          under.delete(one);
        });
      under.add(one);
      at += 1;
    }
    await sleep(TICK_MS);
  }
  await Promise.all(under);
  return outcomes;
}

export interface Post {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one request over kept connections and answers its status: cheaper for whoever sends than `fetch`. */
export function createPoster(): { post(one: Post): Promise<string>; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const post = ({ method = 'POST', url, headers = {}, body = '' }: Post) =>
    new Promise<string>((done, fail) => {
      const length = method === 'GET' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const outgoing = request(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
        answer.resume();
        answer.once('end', () => done(String(answer.statusCode)));
        answer.once('error', fail);
      });
      outgoing.once('error', fail);
      outgoing.end(method === 'GET' ? undefined : body);
    });
  return { post, close: () => agent.destroy() };
}
