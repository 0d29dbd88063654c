/**
 * A statement whose values travel as parameters, always. Made only by the `sql` tag.
 * `${value}` becomes `$n`; `${sql`…`}` is spliced in with its own parameters renumbered.
 */
export interface Sql {
  readonly parts: readonly string[];
  readonly values: readonly unknown[];
  /** For `pg`: text with `$1…` and the values. */
  toQuery(): { text: string; values: unknown[] };
}

class Statement implements Sql {
  readonly parts: readonly string[];
  readonly values: readonly unknown[];

  constructor(parts: readonly string[], values: readonly unknown[]) {
    this.parts = parts;
    this.values = values;
  }

  toQuery(): { text: string; values: unknown[] } {
    const text = this.parts.reduce((out, part, at) => (at === 0 ? part : `${out}$${at}${part}`), '');
    return { text, values: [...this.values] };
  }
}

/**
 * Builds a statement. There is no way to put a string into its text except by writing it in the source.
 * @throws TypeError when a value is `undefined`: an absent value must be said as `null`.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql {
  const parts: string[] = [strings[0] ?? ''];
  const flat: unknown[] = [];
  values.forEach((value, at) => {
    const after = strings[at + 1] ?? '';
    if (value instanceof Statement) {
      parts[parts.length - 1] += value.parts[0] ?? '';
      parts.push(...value.parts.slice(1));
      flat.push(...value.values);
      parts[parts.length - 1] += after;
      return;
    }
    if (value === undefined) throw new TypeError(`parameter ${at + 1} of a statement is undefined`);
    flat.push(value);
    parts.push(after);
  });
  return new Statement(parts, flat);
}
