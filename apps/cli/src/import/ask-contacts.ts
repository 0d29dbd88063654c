import type { FreeTextRef } from '@deadlatch/catalogue';
import type { DetailName } from '@deadlatch/contact-details';
import { DispatchError, type JsonValue, refuse } from '@deadlatch/kernel';
import type { RowKind } from './kinds.ts';
import type { ContactBatch, ContactLine } from './plan-contacts.ts';
import { LineRefused, type SendCommand } from './run-import.ts';

/** An act that waits for whoever asked. */
export interface AskedBatch {
  readonly batch: ContactBatch;
  readonly actId: string;
  /** Of exactly what is confirmed, as the page shows it. */
  readonly digest: string;
  readonly confirmUrl: string;
  readonly expiresAt: string;
}

export interface AskOptions {
  readonly idOf: (kind: RowKind, name: string) => string;
  readonly send: SendCommand;
  /** Puts words into the vault. */
  readonly seal: (text: string, key: string) => Promise<FreeTextRef>;
  /** `act.list` of whoever asks. */
  readonly readActs: () => Promise<JsonValue>;
  /** Whether every contact of the batch is on file by now. */
  readonly isOnFile: (batch: ContactBatch) => Promise<boolean>;
  /** Told of each line whose words are in the vault. */
  readonly onStep: () => void;
}

/** A question that was declined, or lapsed, is asked anew; so often in a day nobody wants it. */
const MAX_ATTEMPTS = 50;

/**
 * Asks for each batch, or finds what was asked for it before: the same file and lines are the same request, whose
 * stored answer names its act. An act that is over and put nobody on file is asked anew.
 * @returns what waits for a yes; a batch that was confirmed meanwhile is not among it
 * @throws LineRefused naming the first line of the batch that could not be asked for, or the one that was at fault
 */
export async function askForContacts(
  batches: readonly ContactBatch[],
  options: AskOptions,
): Promise<readonly AskedBatch[]> {
  const asked: AskedBatch[] = [];
  for (const batch of batches) {
    const waiting = await askForOne(batch, options);
    if (waiting !== null) asked.push(waiting);
  }
  return asked;
}

async function askForOne(batch: ContactBatch, options: AskOptions): Promise<AskedBatch | null> {
  try {
    const body = await bodyOf(batch, options);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const { actId, digest } = readAsked(await options.send('contact.import', body, batch.key(attempt)));
      const act = readWaiting(await options.readActs()).find(({ id }) => id === actId);
      if (act !== undefined) {
        return { batch, actId, digest, confirmUrl: act.confirm_url, expiresAt: act.expires_at };
      }
      if (await options.isOnFile(batch)) return null;
    }
    return refuse('rate_limited', { detail: 'asked too often' });
  } catch (error) {
    if (!(error instanceof DispatchError)) throw error;
    throw new LineRefused({ file: batch.file, line: lineAtFault(batch, error) }, error);
  }
}

async function bodyOf(batch: ContactBatch, { idOf, seal, onStep }: AskOptions): Promise<object> {
  const contacts: object[] = [];
  for (const row of batch.rows) {
    contacts.push({
      slug: row.slug,
      ...(row.site !== null && { site_id: idOf('sites', row.site) }),
      may_request: row.mayRequest,
      ...(await sealed(row, seal)),
    });
    onStep();
  }
  return { account_id: idOf('accounts', batch.account), contacts };
}

async function sealed(row: ContactLine, seal: AskOptions['seal']): Promise<Record<string, FreeTextRef>> {
  const given = Object.entries(row.details) as (readonly [DetailName, string])[];
  const handles = await Promise.all(
    given.map(async ([name, text]) => [name, await seal(text, row.textKey(name))] as const),
  );
  return Object.fromEntries(handles);
}

/** The gate names a row by its place in the batch. */
function lineAtFault({ rows }: ContactBatch, { extra }: DispatchError): number {
  const [pointer = ''] = Array.isArray(extra.fields) ? (extra.fields as readonly string[]) : [];
  const [, place = '0'] = /^\/contacts\/(\d+)\//.exec(pointer) ?? [];
  return rows[Number(place)]?.line ?? rows[0]?.line ?? 0;
}

function readAsked(answer: JsonValue): { readonly actId: string; readonly digest: string } {
  const { result } = answer as { readonly result?: Readonly<Record<string, unknown>> };
  const { act_id: actId, action_digest: digest } = result ?? {};
  if (typeof actId !== 'string' || typeof digest !== 'string') {
    return refuse('unavailable', { detail: 'an answer without an act' });
  }
  return { actId, digest };
}

interface WaitingAct {
  readonly id: string;
  readonly confirm_url: string;
  readonly expires_at: string;
}

/** The acts that `act.list` answers. */
export function readWaiting(answer: JsonValue): readonly WaitingAct[] {
  const { acts } = answer as { readonly acts?: readonly WaitingAct[] };
  return acts ?? refuse('unavailable', { detail: 'a list without acts' });
}
