import { randomBytes, randomUUID } from 'node:crypto';
import { findCommand, routeOf, type ServiceName, spiffeId } from '@deadlatch/catalogue';
import { createServiceClient, openKeyDirectory } from '@deadlatch/http';
import { DispatchError } from '@deadlatch/kernel';
import { makeSignInLinks } from '../../../apps/cli/src/demo-session.ts';
import { peersOf } from '../../../apps/cli/src/peers.ts';
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

/** Commands straight to dispatch-api, signed with the command line's key: every cut connection is the client's own. */
export async function straightToDispatch(run: RunFile, slug: string): Promise<SendOnce> {
  const keyDir = run.services.cli?.key_dir ?? '';
  const key = openKeyDirectory(keyDir).signingKey();
  const peers = peersOf(run);
  const peer = (service: ServiceName) =>
    createServiceClient({
      service: 'cli',
      key: () => key,
      baseUrl: peers.urlOf(service),
      audience: spiffeId(run.environment, service),
      fetch: peers.fetchTo(service),
      now: Date.now,
      random: (n) => randomBytes(n),
      timeoutMs: TIMEOUT_MS,
    });
  const [api, identity] = [peer('dispatch-api'), peer('identity')];
  const links = await makeSignInLinks(keyDir, run, [slug]);
  const { session } = (await identity.write('/v1/sessions', { link: links.get(slug) ?? '' })) as {
    session: string;
  };
  let kept = { token: '', until: 0 };
  const token = async () => {
    if (kept.until < Date.now()) {
      const made = await identity.write('/v1/tokens/session', { session, correlation_id: randomUUID() });
      kept = { token: (made as { token: string }).token, until: Date.now() + KEEP_TOKEN_MS };
    }
    return kept.token;
  };
  return async (command, targetId, input, idempotencyKey) => {
    const entry = findCommand(command);
    if (!entry) throw new Error(`no command ${command}`);
    const path = routeOf(entry).replace(':id', targetId ?? '');
    try {
      const body = await api.write(path, input, { token: await token(), idempotencyKey });
      return { ok: true, body: body as Record<string, unknown> };
    } catch (error) {
      return { ok: false, code: error instanceof DispatchError ? error.code : 'unavailable' };
    }
  };
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
