import { randomBytes, randomUUID } from 'node:crypto';
import { findCommand, routeOf, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  createReceiptCourier,
  createServiceClient,
  openKeyDirectory,
  type ServiceClient,
} from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { makeSignInLinks } from '../../../apps/cli/src/demo-session.ts';
import { type Peers, peersOf } from '../../../apps/cli/src/peers.ts';
import type { RunFile } from '../../../apps/cli/src/run-file.ts';
import { type Person, signIn } from '../../scenario/people.ts';
import type { SendOnce } from './persistent-client.ts';

const TIMEOUT_MS = 8_000;
/** Shorter than a token lives. */
const KEEP_TOKEN_MS = 40_000;

/** Signs somebody in at the console. */
export async function enterConsole(run: RunFile, slug: string): Promise<Person> {
  const links = await makeSignInLinks(run.services.cli?.key_dir ?? '', run, [slug]);
  return signIn(run.web_url, slug, links.get(slug) ?? '', () => undefined);
}

/** Commands through the console's own interface. */
export function throughConsole(person: Person): SendOnce {
  return async (command, targetId, input, key) => {
    const sent = await person.command(command, targetId, input, key).catch(() => undefined);
    if (sent?.seen.status === 200) return { ok: true, body: sent.seen.body };
    return { ok: false, code: String(sent?.seen.body.code ?? 'unavailable') };
  };
}

/** dispatch-api as a service meets it: nobody in between, and with the receipt of every answer. */
export interface Counter {
  /** Signs somebody in; commands go under the command line's key and certificate. */
  enter(slug: string): Promise<SendOnce>;
  /** Reads something as that person. @throws DispatchError */
  read(slug: string, path: string): Promise<unknown>;
  /** Hands the last receipts over to the witness. */
  close(): Promise<void>;
}

/** @param receipts gets each receipt that was answered; the witness gets them too, as from every caller */
export function openCounter(run: RunFile, receipts: string[]): Counter {
  const keyDir = run.services.cli?.key_dir ?? '';
  const keys = openKeyDirectory(keyDir);
  const peers = peersOf(run);
  const peer = (service: ServiceName) => serviceClient(run, peers, service);
  const [api, identity] = [peer('dispatch-api'), peer('identity')];
  const courier = createReceiptCourier({
    witness: peer('witness'),
    environment: run.environment,
    trust: keys.trust,
    logger: { event: () => undefined },
  });
  const accompanied = courier.accompany({
    ...api,
    write: async (path, body, options) => {
      const answer = await api.write(path, body, options);
      const { receipt } = answer as { readonly receipt?: unknown };
      if (typeof receipt !== 'string') throw new TypeError(`${path} was accepted without a receipt`);
      receipts.push(receipt);
      return answer;
    },
  });
  const tokens = new Map<string, () => Promise<string>>();
  const tokenOf = async (slug: string): Promise<string> => {
    const known = tokens.get(slug) ?? (await tokensOf(slug));
    tokens.set(slug, known);
    return known();
  };
  const tokensOf = async (slug: string) => {
    const links = await makeSignInLinks(keyDir, run, [slug]);
    const { session } = (await identity.write('/v1/sessions', { link: links.get(slug) ?? '' })) as {
      session: string;
    };
    let kept = { token: '', until: 0 };
    return async () => {
      if (kept.until < Date.now()) {
        const made = await identity.write('/v1/tokens/session', { session, correlation_id: randomUUID() });
        kept = { token: (made as { token: string }).token, until: Date.now() + KEEP_TOKEN_MS };
      }
      return kept.token;
    };
  };
  return {
    enter: async (slug) => {
      await tokenOf(slug);
      return async (command, targetId, input, idempotencyKey) => {
        const entry = findCommand(command);
        if (!entry) throw new Error(`no command ${command}`);
        const path = routeOf(entry).replace(':id', targetId ?? '');
        try {
          const token = await tokenOf(slug);
          const body = await accompanied.write(path, input, { token, idempotencyKey });
          return { ok: true, body: body as Record<string, unknown> };
        } catch (error) {
          if (!(error instanceof DispatchError)) throw error;
          return { ok: false, code: error.code, reason: error.extra?.reason };
        }
      };
    },
    read: async (slug, path) => api.read(path, { token: await tokenOf(slug) }),
    close: () => courier.close(),
  };
}

/** A service, called as the command line. */
export function serviceClient(run: RunFile, peers: Peers, service: ServiceName): ServiceClient {
  const key = openKeyDirectory(run.services.cli?.key_dir ?? '').signingKey();
  return createServiceClient({
    service: 'cli',
    key: () => key,
    baseUrl: peers.urlOf(service),
    audience: spiffeId(run.environment, service),
    fetch: peers.fetchTo(service),
    now: Date.now,
    random: (n) => randomBytes(n),
    timeoutMs: TIMEOUT_MS,
  });
}

/** One text and the carrier's id of it, known once the gateway took it over. */
export interface TakenText {
  readonly slug: string;
  readonly sid: string;
}

/**
 * A text from a demo phone. The carrier sends an event again under its own id until it is taken over.
 * @param twice hands it over a second time at once, as carriers do
 */
export async function sendText(run: RunFile, slug: string, body: string, twice: boolean): Promise<TakenText> {
  const post = async (sid?: string) => {
    const response = await fetch(`${run.simulator_url}/api/phones/${slug}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(sid === undefined ? { body } : { body, sid }),
    });
    return (await response.json()) as { sid: string; status: number };
  };
  const isTaken = (status: number) => status >= 200 && status < 300;
  let { sid, status } = await post();
  while (!isTaken(status)) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    ({ status } = await post(sid));
  }
  if (twice) await post(sid);
  return { slug, sid };
}
