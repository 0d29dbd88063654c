import { compileDictionary, type KnownValue } from './dictionary.ts';
import { type Analysis, analyse } from './mask.ts';
import type { Vocabulary } from './vocabulary.ts';

/** One message to mask, as it crosses into the worker thread. */
export interface MaskJob {
  readonly raw: string;
  /** Everything known about the account; null when there is no account or it could not be read. */
  readonly knownValues: readonly KnownValue[] | null;
}

/** Compiles the dictionary and analyses. Never throws; a value that cannot be compiled withholds the message. */
export function runMaskJob(job: MaskJob, vocabulary: Vocabulary): Analysis {
  try {
    const dictionary = job.knownValues === null ? null : compileDictionary(job.knownValues);
    return analyse({ raw: job.raw, dictionary, vocabulary });
  } catch {
    return { state: 'WITHHELD', reason: 'missing_dictionary' };
  }
}
