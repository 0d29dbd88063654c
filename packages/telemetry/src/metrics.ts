import { formOf, INVALID } from './field-kinds.ts';
import { type LabelKind, METRICS, type MetricEntry, type MetricName } from './metric-table.ts';

type NamesOf<T extends MetricEntry['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];
export type LabelsOf<N extends MetricName> = {
  readonly [L in keyof (typeof METRICS)[N]['labels']]: (typeof METRICS)[N]['labels'][L] extends readonly (infer V)[]
    ? V
    : string;
};

/** The measurements of one process. Nothing here throws: measuring must not decide anything. */
export interface Metrics {
  add<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /** @param value in the metric's unit */
  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /**
   * Has gauges set before every reading. When `refresh` rejects, or takes longer than 2 s, the gauges it sets are
   * absent from that reading: an old number would look like a fresh one.
   */
  beforeRead(gauges: readonly NamesOf<'gauge'>[], refresh: () => Promise<void>): void;
  /** All of it as Prometheus text. */
  read(): Promise<string>;
}

/** Content type of what `read` answers. @source https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Distinct labels of one metric; whatever comes after is counted together, so nobody can fill the memory with names. */
const MAX_SERIES = 500;
const OTHER = 'other';
const REFRESH_MS = 2_000;

interface Series {
  /** `a="b",c="d"`: without braces */
  readonly labels: string;
  value: number;
  sum: number;
  readonly buckets: number[];
}

interface Metric {
  readonly name: string;
  readonly entry: MetricEntry;
  readonly labels: readonly (readonly [name: string, kind: LabelKind])[];
  readonly series: Map<string, Series>;
  /** Series by label values that were looked at before: looking at them costs more than all else. */
  readonly seen: Map<string, Series>;
}

/**
 * A registry of the declared metrics and no others.
 * @invariant label names are those of the table, label values have the declared form, and a metric has a bounded
 * number of series
 * @source T5.1
 */
export function createMetrics(): Metrics {
  const metrics: ReadonlyMap<string, Metric> = new Map(
    Object.entries<MetricEntry>(METRICS).map(([name, entry]) => [
      name,
      { name, entry, labels: Object.entries(entry.labels), series: new Map(), seen: new Map() },
    ]),
  );
  const refreshes: { readonly gauges: readonly string[]; readonly refresh: () => Promise<void> }[] = [];

  const find = (name: string, type: MetricEntry['type'], given: object): Series | undefined => {
    const metric = metrics.get(name);
    if (metric?.entry.type !== type) return undefined;
    const values = metric.labels.map(([label]) => valueIn(given, label));
    const raw = values.join('\n');
    const seen = metric.seen.get(raw);
    if (seen !== undefined) return seen;
    const found = seriesOf(metric, values);
    if (metric.seen.size < MAX_SERIES) metric.seen.set(raw, found);
    return found;
  };

  const refreshAll = () =>
    Promise.all(
      refreshes.map(async ({ gauges, refresh }) => {
        try {
          await within(REFRESH_MS, refresh());
        } catch {
          for (const gauge of gauges) {
            metrics.get(gauge)?.series.clear();
            metrics.get(gauge)?.seen.clear();
          }
        }
      }),
    );

  return {
    add(name, labels, by = 1) {
      const found = by > 0 ? find(name, 'counter', labels) : undefined;
      if (found !== undefined) found.value += by;
    },
    set(name, labels, value) {
      const found = Number.isFinite(value) ? find(name, 'gauge', labels) : undefined;
      if (found !== undefined) found.value = value;
    },
    observe(name, labels, value) {
      const found = value >= 0 ? find(name, 'histogram', labels) : undefined;
      if (found === undefined) return;
      found.value += 1;
      found.sum += value;
      const bounds: readonly number[] = METRICS[name].buckets;
      const at = bounds.findIndex((bound) => value <= bound);
      if (at >= 0) found.buckets[at] = (found.buckets[at] ?? 0) + 1;
    },
    beforeRead: (gauges, refresh) => void refreshes.push({ gauges, refresh }),
    async read() {
      await refreshAll();
      return [...metrics.values()].map(textOf).join('');
    },
  };
}

/** What was handed in for a label when it is text, else nothing: no other kind of value is ever a label's. */
function valueIn(given: object, label: string): string {
  const value: unknown = Object.hasOwn(given, label) ? (given as Record<string, unknown>)[label] : undefined;
  return typeof value === 'string' ? value : '';
}

function seriesOf({ entry, labels, series }: Metric, values: readonly string[]): Series {
  const textWith = (write: (kind: LabelKind, at: number) => string) =>
    labels.map(([label, kind], at) => `${label}="${write(kind, at)}"`).join(',');
  let text = textWith((kind, at) => labelValue(kind, values[at]));
  if (!series.has(text) && series.size >= MAX_SERIES) text = textWith(() => OTHER);
  const found = series.get(text) ?? {
    labels: text,
    value: 0,
    sum: 0,
    buckets: (entry.buckets ?? []).map(() => 0),
  };
  series.set(text, found);
  return found;
}

/** No form of a label holds a quote, a backslash or a line feed, so nothing needs escaping. */
function labelValue(kind: LabelKind, value: unknown): string {
  if (typeof kind === 'string') return String(formOf(kind, value));
  return kind.find((word) => word === value) ?? INVALID;
}

function textOf({ name, entry, series }: Metric): string {
  if (series.size === 0) return '';
  const full = `deadlatch_${name}`;
  const lines = [`# HELP ${full} ${entry.help}`, `# TYPE ${full} ${entry.type}`];
  for (const { labels, value, sum, buckets } of series.values()) {
    const inBraces = (more: string) => {
      const all = [labels, more].filter((part) => part !== '').join(',');
      return all === '' ? '' : `{${all}}`;
    };
    if (entry.type !== 'histogram') {
      lines.push(`${full}${inBraces('')} ${value}`);
      continue;
    }
    let below = 0;
    for (const [at, bound] of (entry.buckets ?? []).entries()) {
      below += buckets[at] ?? 0;
      lines.push(`${full}_bucket${inBraces(`le="${bound}"`)} ${below}`);
    }
    lines.push(`${full}_bucket${inBraces('le="+Inf"')} ${value}`);
    lines.push(`${full}_sum${inBraces('')} ${sum}`, `${full}_count${inBraces('')} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

async function within<R>(ms: number, work: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error('too late')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
