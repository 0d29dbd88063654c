import { DispatchError, type JsonValue, refuse } from '@deadlatch/kernel';
import { ROW_COMMANDS, type RowKind } from './kinds.ts';
import { type ImportPlan, type ImportStep, placeOf } from './plan-import.ts';

/** Sends one command as the person who imports. @returns its answer @throws DispatchError with the code of whoever refused */
export type SendCommand = (command: string, body: object, key: string) => Promise<JsonValue>;

export interface ImportRun {
  /** Rows that this run made, or an earlier run of the same file. */
  readonly made: number;
  /** Rows that were on file exactly so, and were left alone. */
  readonly found: number;
  /** Ids of everything that is on file now and that a line names. */
  readonly ids: ReadonlyMap<string, string>;
}

/** A line that the gate refused although the plan had no objection: something changed in between. */
export class LineRefused extends Error {
  readonly step: Pick<ImportStep, 'file' | 'line'>;
  readonly refusal: DispatchError;

  constructor(step: Pick<ImportStep, 'file' | 'line'>, refusal: DispatchError) {
    super(`${step.file}, line ${step.line}: ${refusal.code}`);
    this.step = step;
    this.refusal = refusal;
  }
}

/**
 * Does the steps one after the other. One that fails ends the run; run again with the same files, what was done is
 * done already, by the same idempotency keys, and the rest goes on from there.
 * @throws LineRefused
 */
export async function runImport(
  plan: Pick<ImportPlan, 'steps' | 'ids'>,
  options: { readonly send: SendCommand; readonly onStep: () => void },
): Promise<ImportRun> {
  const ids = new Map(plan.ids);
  const idOf = (kind: RowKind, name: string) =>
    ids.get(placeOf(kind, name)) ?? refuse('unavailable', { detail: 'a line before was not done' });
  let made = 0;
  let found = 0;
  for (const step of plan.steps) {
    if (step.id !== null) found += 1;
    else {
      ids.set(placeOf(step.kind, step.name), await doStep(step, idOf, options.send));
      made += 1;
    }
    options.onStep();
  }
  return { made, found, ids };
}

async function doStep(
  step: ImportStep,
  idOf: (kind: RowKind, name: string) => string,
  send: SendCommand,
): Promise<string> {
  try {
    const answer = await send(ROW_COMMANDS[step.kind], step.body(idOf), step.key);
    const { result } = answer as { readonly result?: Readonly<Record<string, unknown>> };
    const id = result?.[`${ROW_COMMANDS[step.kind].split('.')[0]}_id`];
    return typeof id === 'string' ? id : refuse('unavailable', { detail: 'an answer without an id' });
  } catch (error) {
    throw error instanceof DispatchError ? new LineRefused(step, error) : error;
  }
}
