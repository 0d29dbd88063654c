/**
 * Edits that turn one word into another: insert, delete, replace, swap neighbours. Counts no further than `limit`.
 * @returns the distance, or `limit + 1` when it is larger
 * @source Damerau 1964, the "optimal string alignment" form
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? limit + 1;
}

/** Every string left after up to `count` letters (at most two) are taken out, the word itself included. */
export function deletions(word: string, count: number): ReadonlySet<string> {
  const all = new Set([word]);
  let layer = [word];
  for (let round = 0; round < Math.min(count, 2); round += 1) {
    const next: string[] = [];
    for (const item of layer) {
      for (let at = 0; at < item.length; at += 1) {
        const shorter = item.slice(0, at) + item.slice(at + 1);
        if (!all.has(shorter)) {
          all.add(shorter);
          next.push(shorter);
        }
      }
    }
    layer = next;
  }
  return all;
}

/** How many edits a word of this length may carry and still be taken for the one on file. */
export function allowedEdits(length: number): number {
  if (length >= 9) return 2;
  return length >= 5 ? 1 : 0;
}
