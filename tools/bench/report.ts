/** The number in the middle; of an even count the lower of the two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;
}

/** What must not fall below these; everything else is for comparison with earlier runs on the same machine. */
export const BARS: Readonly<Record<string, number>> = {
  ratio_road_16: 0.5,
  ratio_http_16: 0.25,
  ratio_mtls_16: 0.8,
  sequencing_events_per_s: 10_000,
  verification_events_per_s: 50_000,
};

/** What must not rise above these. */
const CEILINGS: Readonly<Record<string, number>> = {
  options_p99_ms_200x2000: 50,
  queue_growth_100000: 1.5,
  queue_growth_1000000: 1.5,
  timeline_growth_100000: 1.5,
  timeline_growth_1000000: 1.5,
};

export type Results = Readonly<Record<string, number>>;

/** Three figures are more than a shared machine can promise. */
export function rounded(results: Results): Results {
  return Object.fromEntries(
    Object.entries(results).map(([name, value]) => [name, Number(value.toPrecision(value >= 100 ? 4 : 3))]),
  );
}

/** One line per result, with its bar and how it stands to it where it has one. */
export function table(results: Results): string {
  const width = Math.max(...Object.keys(results).map((name) => name.length));
  const lines = Object.entries(results).map(([name, value]) => {
    return `${name.padEnd(width)}  ${value.toLocaleString('en-US').padStart(10)}${verdict(name, value)}`;
  });
  return lines.join('\n');
}

function verdict(name: string, value: number): string {
  const [floor, ceiling] = [BARS[name], CEILINGS[name]];
  if (floor !== undefined) return `   bar ${floor}  ${value >= floor ? 'ok' : 'BELOW'}`;
  return ceiling === undefined ? '' : `   at most ${ceiling}  ${value <= ceiling ? 'ok' : 'ABOVE'}`;
}
