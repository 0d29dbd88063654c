import { type LogProblem, problemAt } from './log-problem.ts';
import type { HashList } from './recomputed-tree.ts';

/**
 * Names what was done to a log whose true leaf hashes are known: what is shown is walked along what should be.
 * @param shown leaf hashes of the events shown, in their order
 * @param genuine those under the signed root
 */
export function compareLeaves(shown: HashList, genuine: HashList): LogProblem[] {
  const size = genuine.count();
  const indexOf = new Map<string, number>();
  for (let i = 0; i < size; i += 1) indexOf.set(keyOf(genuine, i), i);
  const places = Array.from({ length: shown.count() }, (_, at) => indexOf.get(keyOf(shown, at)));
  const isShown = new Set(places);
  const problems: LogProblem[] = [];
  const seen = new Set<number>();
  let next = 0;
  places.forEach((place, at) => {
    if (place === undefined) {
      if (next < size && !isShown.has(next)) {
        problems.push(problemAt('altered', next, 'the event shown is not the one that was logged here'));
        next += 1;
      } else {
        problems.push(problemAt('inserted', at, 'the event shown was never logged'));
      }
      return;
    }
    if (seen.has(place)) {
      problems.push(problemAt('inserted', at, `the event of index ${place} is shown again`));
      return;
    }
    seen.add(place);
    if (place < next) {
      problems.push(problemAt('reordered', place, `the event of index ${place} is shown at ${at}`));
      return;
    }
    problems.push(...missing(next, place, isShown));
    next = place + 1;
  });
  const tail = missing(next, size, isShown);
  if (tail.length > 0 && next === shown.count())
    return [...problems, problemAt('truncated', next, `events end before index ${next}`, size - 1)];
  return [...problems, ...tail];
}

/** Those from `from` to before `to` that are shown nowhere; the others are met later, out of their place. */
function missing(from: number, to: number, isShown: ReadonlySet<number | undefined>): LogProblem[] {
  const problems: LogProblem[] = [];
  for (let index = from; index < to; index += 1) {
    if (!isShown.has(index))
      problems.push(problemAt('removed', index, 'the event that was logged here is not shown'));
  }
  return problems;
}

function keyOf(list: HashList, index: number): string {
  return list.at(index).toString('latin1');
}
