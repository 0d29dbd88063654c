/**
 * Text that remembers where each of its UTF-16 units came from in the message as it arrived.
 * `starts[i]`..`ends[i]` is the half-open range of the raw message behind unit `i`; ranges never run backwards.
 */
export interface MappedText {
  readonly text: string;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** The identity mapping: every unit stands for itself. */
export function rawText(text: string): MappedText {
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    starts[at] = at;
    ends[at] = at + 1;
  }
  return { text, starts, ends };
}

/** Collects the output of one rewriting pass over `source`. */
export interface MappedTextBuilder {
  /** Adds `piece`, which stands for `source.text[from, to)`. An empty piece drops that range. */
  push(piece: string, from: number, to: number): void;
  finish(): MappedText;
}

/** Starts a rewriting pass; offsets given to `push` are offsets in `source.text`, never in the raw message. */
export function rewrite(source: MappedText): MappedTextBuilder {
  const pieces: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  return {
    push(piece, from, to) {
      if (piece === '') return;
      const start = source.starts[from] ?? 0;
      const end = source.ends[to - 1] ?? start;
      pieces.push(piece);
      for (let unit = 0; unit < piece.length; unit += 1) {
        starts.push(start);
        ends.push(end);
      }
    },
    finish: () => ({ text: pieces.join(''), starts: Int32Array.from(starts), ends: Int32Array.from(ends) }),
  };
}
