import { type Analysis, comparable, createNumbering, type MaskResult, render } from '../masking/mask.ts';
import type { Label } from '../masking/spans.ts';

/** Placeholder number and digest of a value, as they were given out before in this case. */
export interface GivenPlaceholder {
  readonly placeholder: string;
  readonly blind_index: string;
}

const FORM = /^([A-Z]+)_([1-9][0-9]{0,8})$/;

/** Digests of all masked values, made before the transaction: `comparable` -> digest. */
export function digestValues(
  analysis: Analysis,
  digest: (comparable: string) => string,
): ReadonlyMap<string, string> {
  if (analysis.state === 'WITHHELD') return new Map();
  const values = analysis.spans.map((span) => comparable(analysis.text.slice(span.start, span.end)));
  return new Map([...new Set(values)].map((value) => [value, digest(value)]));
}

/** Renders with the numbers of the case: a value that was masked before keeps its placeholder. */
export function renderInCase(
  analysis: Analysis,
  digests: ReadonlyMap<string, string>,
  given: readonly GivenPlaceholder[],
): MaskResult {
  const numbers = new Map<string, number>();
  for (const { placeholder, blind_index: digest } of given) {
    const [, label, number] = FORM.exec(placeholder) ?? [];
    if (label !== undefined) numbers.set(`${label} ${digest}`, Number(number));
  }
  const numberOf = createNumbering(numbers);
  return render(analysis, (label: Label, value) => numberOf(label, digests.get(value) ?? value));
}
