import type { JsonValue } from '@deadlatch/kernel';
import { type Arguments, EXIT } from '../arguments.ts';
import type { AskedBatch } from './ask-contacts.ts';
import type { ImportPlan } from './plan-import.ts';
import { type LineProblem, PROBLEM_CODES } from './read-table.ts';
import type { ImportRun, LineRefused } from './run-import.ts';

/** Problems that are printed; `--json` has them all. */
const SHOWN = 50;

/** What would be done, or every line that keeps it from being done. @returns the exit code */
export function tellPlan(args: Arguments, { steps, contacts, problems }: ImportPlan): number {
  const toDo = steps.filter(({ id }) => id === null).length;
  const found = steps.length - toDo + contacts.found;
  const toAsk = contacts.batches.reduce((sum, { rows }) => sum + rows.length, 0);
  const json = { would_make: toDo, would_ask: toAsk, acts: contacts.batches.length, found, problems };
  if (problems.length === 0) {
    const lines = `${toDo} lines would be made, ${found} are on file already.`;
    const asks =
      toAsk === 0
        ? ''
        : ` ${toAsk} contacts would be asked for in ${contacts.batches.length} acts, each confirmed by itself.`;
    say(args, json, `${lines}${asks}`);
    return EXIT.done;
  }
  const shown = problems.slice(0, SHOWN).map(sentenceOf);
  const more = problems.length > SHOWN ? [`and ${problems.length - SHOWN} more`] : [];
  const total = `Nothing was done: ${problems.length} ${problems.length === 1 ? 'line is' : 'lines are'} wrong.`;
  say(args, json, [...shown, ...more].join('\n'));
  process.stderr.write(`${total}\n`);
  return EXIT.failed;
}

function sentenceOf({ file, line, column, code }: LineProblem): string {
  const place = [
    file,
    ...(line === null ? [] : [`line ${line}`]),
    ...(column === null ? [] : [`column ${column}`]),
  ];
  return `${place.join(', ')}: ${code} (${PROBLEM_CODES[code]})`;
}

/** Where each act is confirmed, and what it holds, as the page there says it. @returns the exit code */
export function tellWaiting(
  args: Arguments,
  { made, found }: ImportRun,
  { contacts }: ImportPlan,
  asked: readonly AskedBatch[],
): number {
  const later = contacts.batches.length - asked.length;
  const waiting = asked.map(({ batch, actId, digest, confirmUrl, expiresAt }) => ({
    act_id: actId,
    account: batch.account,
    contacts: batch.rows.length,
    action_digest: digest,
    confirm_url: confirmUrl,
    expires_at: expiresAt,
  }));
  const lines = waiting.map(
    (act) => `  ${act.contacts} of ${act.account}, ${act.action_digest}\n  ${act.confirm_url}`,
  );
  const rest = later > 0 ? [`${later} acts follow: give the same command again after these.`] : [];
  say(
    args,
    { made, found: found + contacts.found, waiting, later, problems: [] },
    [
      `${made} made, ${found + contacts.found} on file already.`,
      'These contacts wait for you. Open each link, have a code sent to you, and confirm it there before it lapses:',
      ...lines,
      ...rest,
    ].join('\n'),
  );
  return EXIT.done;
}

/** The line at which a run ended. @returns the exit code */
export function tellRefusal(args: Arguments, { step, refusal }: LineRefused, done: number): number {
  const { file, line } = step;
  say(
    args,
    { done, file, line, code: refusal.code },
    `${file}, line ${line}: ${refusal.code}. The ${done} lines before it are done; the same command goes on from here.`,
  );
  return refusal.code === 'unavailable' ? EXIT.unreachable : EXIT.refused;
}

/** Standard output: one JSON document, or a sentence. */
export function say(args: Pick<Arguments, 'json'>, json: object, sentence: string): void {
  process.stdout.write(`${args.json ? JSON.stringify(json as JsonValue) : sentence}\n`);
}
