import type { GuessLimit, ServiceClient } from '@deadlatch/http';
import { DispatchError, derivedUuid, isUuid, type JsonValue } from '@deadlatch/kernel';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Choices, choicePage } from '../pages/choice-page.ts';
import { sendPage } from '../pages/layout.ts';
import { tryLaterPage } from '../pages/sign-in-page.ts';
import { neutralStatusPage } from '../pages/status-page.ts';
import { readForm } from '../sessions/form.ts';

const SECRET = /^[0-9a-f]{34}$/;
const FORM = ['application/x-www-form-urlencoded'];
/** What the form says for none of the offered times. */
const OTHER = 'other';

/**
 * The page behind the link in a text that offers times, and what its buttons send. Plain HTML without a script or a
 * session: the secret in the link is all there is, and dispatch-api alone says what it is worth.
 * @invariant looking changes nothing; a choice takes a form sent from our own origin
 * @source T1.10, T3.12; design 05: links
 */
export function addChoiceRoute(
  server: FastifyInstance,
  options: { readonly dispatchApi: ServiceClient; readonly guesses: GuessLimit },
): void {
  const { dispatchApi, guesses } = options;
  const choose = (secret: string, time: string) => {
    const choice = time === OTHER ? { kind: 'OTHER_TIME' } : { kind: 'OPTION', option_id: time };
    // The same button pressed twice is the same request, and gets the same answer.
    const idempotencyKey = derivedUuid(`choice ${secret} ${time}`);
    return dispatchApi.write('/v1/choice.make', { link: secret, ...choice }, { idempotencyKey });
  };

  server.get<{ Params: { secret: string } }>('/c/:secret', async (request, reply) => {
    const { secret } = request.params;
    try {
      if (!SECRET.test(secret)) return sendPage(reply, 404, neutralStatusPage());
      const answer = await guesses.attempt(request.ip, () => dispatchApi.read(`/v1/choices/${secret}`));
      const choices = choicesOf(answer);
      const page = choices === null ? null : choicePage(choices, `/c/${secret}`);
      return page === null ? sendPage(reply, 404, neutralStatusPage()) : sendPage(reply, 200, page);
    } catch (error) {
      return sendRefusal(reply, error);
    }
  });

  server.post<{ Params: { secret: string } }>(
    '/c/:secret',
    { config: { accepts: FORM }, bodyLimit: 4_096 },
    async (request, reply) => {
      const { secret } = request.params;
      try {
        if (!SECRET.test(secret)) return sendPage(reply, 404, neutralStatusPage());
        const { time } = readForm(request.rawBody, ['time']);
        if (time !== OTHER && !isUuid(time)) throw new DispatchError('malformed_body', { detail: 'form' });
        const answer = await guesses.attempt(request.ip, () => dispatchApi.read(`/v1/choices/${secret}`));
        // What is not on the page was overtaken, or never there: the page says what is the case now.
        if (isOffered(choicesOf(answer), time)) await choose(secret, time);
        return reply.code(303).header('location', `/c/${secret}`).send();
      } catch (error) {
        if (error instanceof DispatchError && OVERTAKEN.has(error.code)) {
          return reply.code(303).header('location', `/c/${secret}`).send();
        }
        return sendRefusal(reply, error);
      }
    },
  );
}

function isOffered(choices: Choices | null, time: string): boolean {
  if (choices === null) return false;
  return time === OTHER ? choices.mayMove : choices.options.some(({ id }) => id === time);
}

/** Somebody was faster, or time is up: the page says what is the case now. */
const OVERTAKEN: ReadonlySet<string> = new Set(['superseded', 'invalid_state', 'version_conflict']);

function sendRefusal(reply: FastifyReply, error: unknown): FastifyReply {
  const outage =
    !(error instanceof DispatchError) || error.code === 'unavailable' || error.code === 'rate_limited';
  return outage ? sendPage(reply, 503, tryLaterPage()) : sendPage(reply, 404, neutralStatusPage());
}

function choicesOf(answer: JsonValue): Choices | null {
  const reference = member(member(answer, 'ticket'), 'reference');
  const state = member(member(answer, 'ticket'), 'state');
  const timeZone = member(answer, 'time_zone');
  const found = member(answer, 'options');
  if (typeof reference !== 'string' || typeof state !== 'string' || typeof timeZone !== 'string') return null;
  if (!Array.isArray(found)) return null;
  const options = found.flatMap((option) => {
    const id = member(option, 'id');
    const words = member(option, 'words');
    return typeof id === 'string' && typeof words === 'string' ? [{ id, words }] : [];
  });
  const chosen = member(answer, 'chosen');
  return {
    reference,
    state,
    timeZone,
    options,
    mayMove: member(answer, 'other_time') === true,
    agreed: textOf(member(answer, 'agreed')),
    chosen: chosen === null || chosen === undefined ? null : { words: textOf(member(chosen, 'words')) },
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
