import { assuranceRank } from '@deadlatch/catalogue';
import type { GuessLimit } from '@deadlatch/http';
import { DispatchError, type ErrorCode, type JsonValue, refuse } from '@deadlatch/kernel';
import { hashLinkSecret, isLinkSecret } from '../link-secret.ts';
import type { CeremonyStore } from './ceremony.sql.ts';
import type { Decide } from './decide.ts';
import { parseForm } from './form.ts';
import type { ImportKeeper, ImportStanding } from './keep-imported.ts';
import type { RenderedPage } from './layout.ts';
import { approvalPage, decidedPage, importedPage, type NextStep, overPage, refusedPage } from './pages.ts';
import type { ProvenStepUp, ProveStepUp } from './prove-step-up.ts';
import type { CeremonySecrets } from './secrets.ts';
import type { SendCode } from './send-code.ts';

/** What a browser sent. */
export interface PageRequest {
  /** From the path. */
  readonly secret: string;
  /** Every cookie of ours by name. */
  readonly cookie: (name: string) => string | undefined;
  /** Where it came from. */
  readonly address: string;
  /** `Origin` header. */
  readonly origin: string | undefined;
  readonly body: Uint8Array;
}

/** What the browser gets: a page, or a redirect after a post. */
export interface PageAnswer {
  readonly status: number;
  readonly page: RenderedPage | null;
  readonly location: string | null;
  readonly setCookie: { readonly name: string; readonly value: string } | null;
}

export interface ApprovalPages {
  /** Changes nothing, whoever fetches it: link previews and scanners do. @source T3.12 */
  show(request: PageRequest): Promise<PageAnswer>;
  sendCode(request: PageRequest): Promise<PageAnswer>;
  decide(request: PageRequest): Promise<PageAnswer>;
  /** Has kept what is lacking of contacts who came on file together. */
  keep(request: PageRequest): Promise<PageAnswer>;
}

/** Reads `GET /v1/step-ups/:secret`. @throws DispatchError with dispatch-api's code */
export type ReadStepUp = (secret: string) => Promise<JsonValue>;

/**
 * The approval pages. Whatever fails becomes a page that says no more than the code does.
 * @invariant nothing is rendered of an answer that was not proven; a POST of a foreign origin does nothing
 * @source T3.4, T3.9, T3.12
 */
export function createApprovalPages(options: {
  readonly read: ReadStepUp;
  readonly prove: ProveStepUp;
  readonly store: CeremonyStore;
  readonly secrets: CeremonySecrets;
  readonly guesses: GuessLimit;
  readonly sendCode: SendCode;
  readonly decide: Decide;
  readonly imports: ImportKeeper;
  /** identity's own public origin, the only one that may post here. */
  readonly origin: string;
  readonly statusOf: (code: ErrorCode) => number;
  /** Told of every refusal, for the log. */
  readonly onRefused: (error: unknown) => void;
}): ApprovalPages {
  const open = async ({ secret, address }: PageRequest) => {
    if (!isLinkSecret(secret)) return refuse('not_found', { detail: 'no link by form' });
    return options.prove(await options.guesses.attempt(address, () => options.read(secret)));
  };
  const guarded = async (work: () => Promise<PageAnswer>): Promise<PageAnswer> => {
    try {
      return await work();
    } catch (error) {
      options.onRefused(error);
      const code = error instanceof DispatchError ? error.code : 'unavailable';
      return page(options.statusOf(code), refusedPage(code));
    }
  };
  const assertOwnOrigin = (request: PageRequest): void => {
    if (request.origin !== options.origin) refuse('unauthenticated', { detail: 'post of another origin' });
  };
  const render = async (
    request: PageRequest,
    stepUp: ProvenStepUp,
    status: number,
    wasRejected: boolean,
  ): Promise<PageAnswer> => {
    const browserHash = browserOf(request, options.secrets);
    const next = await nextStep(stepUp, browserHash, wasRejected);
    return page(status, approvalPage(request.secret, stepUp.action, stepUp.view, next));
  };
  const nextStep = async (
    stepUp: ProvenStepUp,
    browserHash: string | null,
    wasRejected: boolean,
  ): Promise<NextStep> => {
    if (assuranceRank(stepUp.required) > assuranceRank('L2')) return { kind: 'passkey' };
    const standing = await options.store.read(stepUp.approvalId, stepUp.actionDigest, browserHash);
    if (standing.triesLeft === 0) return { kind: 'locked' };
    if (browserHash === null || !standing.hasLiveCode) return { kind: 'send-code' };
    const csrf = options.secrets.csrfToken(stepUp.approvalId, browserHash);
    return { kind: 'enter-code', csrf, triesLeft: standing.triesLeft, wasRejected };
  };
  const keepImported = async (request: PageRequest): Promise<ImportStanding> => {
    const stepUp = await open(request);
    if (stepUp.kind === 'open' || stepUp.imported.length === 0) {
      return refuse('invalid_state', { detail: 'nothing to keep' });
    }
    return options.imports.keep(request.secret, stepUp.imported);
  };
  return {
    show: (request) =>
      guarded(async () => {
        const stepUp = await open(request);
        if (stepUp.kind === 'open') return render(request, stepUp.proven, 200, false);
        if (stepUp.imported.length === 0) return over(stepUp.state);
        return page(200, importedPage(request.secret, await options.imports.standing(stepUp.imported)));
      }),
    keep: (request) =>
      guarded(async () => {
        assertOwnOrigin(request);
        parseForm(request.body, []);
        return page(200, importedPage(request.secret, await keepImported(request)));
      }),
    sendCode: (request) =>
      guarded(async () => {
        assertOwnOrigin(request);
        parseForm(request.body, []);
        const stepUp = await open(request);
        if (stepUp.kind === 'over') return over(stepUp.state);
        const { browserSecret } = await options.sendCode(stepUp.proven);
        return {
          status: 303,
          page: null,
          location: `/approve/${request.secret}`,
          setCookie: { name: cookieName(request.secret), value: browserSecret },
        };
      }),
    decide: (request) =>
      guarded(async () => {
        assertOwnOrigin(request);
        const form = parseForm(request.body, ['decision', 'code', 'csrf']);
        const { decision, csrf } = form;
        if (decision !== 'APPROVE' && decision !== 'DENY') {
          return refuse('malformed_body', { detail: 'form: decision' });
        }
        const stepUp = await open(request);
        if (stepUp.kind === 'over') return over(stepUp.state);
        const browserHash = browserOf(request, options.secrets);
        // People copy codes with the spaces that mail programs put around them.
        const code = form.code.replaceAll(' ', '');
        const outcome = await options.decide(stepUp.proven, { decision, code, browserHash, csrf });
        if (outcome.kind !== 'committed') {
          return render(request, stepUp.proven, options.statusOf('code_rejected'), true);
        }
        if (decision === 'DENY' || !isImport(stepUp.proven)) {
          return page(200, decidedPage(decision, outcome.answer));
        }
        // What was committed stays so, whatever becomes of this.
        const standing = await keepImported(request).catch((error: unknown) => {
          options.onRefused(error);
          return null;
        });
        return page(200, decidedPage(decision, outcome.answer, { secret: request.secret, standing }));
      }),
  };
}

function isImport({ view }: ProvenStepUp): boolean {
  return view.kind === 'act' && view.imports > 0;
}

/** A cookie per link, so that two approvals open in one browser do not disturb each other. */
export function cookieName(secret: string): string {
  return `approve-${hashLinkSecret(secret).slice(0, 16)}`;
}

function browserOf(request: PageRequest, secrets: CeremonySecrets): string | null {
  return secrets.browserHashOf(request.cookie(cookieName(request.secret)));
}

function over(state: string): PageAnswer {
  return page(200, overPage(state));
}

function page(status: number, rendered: RenderedPage): PageAnswer {
  return { status, page: rendered, location: null, setCookie: null };
}
