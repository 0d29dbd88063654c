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
  /** `{a="b"}` without braces */
  readonly labels: string;
  value: number;
  sum: number;
  readonly buckets: number[];
}

/**
 * A registry of the declared metrics and no others.
 * @invariant label names are those of the table, label values have the declared form, and a metric has a bounded
 * number of series
 * @source T5.1
 */
export function createMetrics(): Metrics {
  const table: ReadonlyMap<string, MetricEntry> = new Map(Object.entries(METRICS));
  const series = new Map<string, Map<string, Series>>([...table.keys()].map((name) => [name, new Map()]));
  const refreshes: { readonly gauges: readonly string[]; readonly refresh: () => Promise<void> }[] = [];

  const find = (name: string, type: MetricEntry['type'], given: object): Series | undefined => {
    const entry = table.get(name);
    const known = series.get(name);
    if (entry?.type !== type || known === undefined) return undefined;
    let labels = labelsOf(entry, given as Record<string, unknown>);
    if (!known.has(labels) && known.size >= MAX_SERIES) labels = labelsOf(entry, {}, OTHER);
    let found = known.get(labels);
    if (found === undefined) {
      found = { labels, value: 0, sum: 0, buckets: (entry.buckets ?? []).map(() => 0) };
      known.set(labels, found);
    }
    return found;
  };

  const refreshAll = () =>
    Promise.all(
      refreshes.map(async ({ gauges, refresh }) => {
        try {
          await within(REFRESH_MS, refresh());
        } catch {
          for (const gauge of gauges) series.get(gauge)?.clear();
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
      return [...table].map(([name, entry]) => textOf(name, entry, series.get(name))).join('');
    },
  };
}

function labelsOf(entry: MetricEntry, given: Readonly<Record<string, unknown>>, all?: string): string {
  return Object.entries(entry.labels)
    .map(
      ([label, kind]) =>
        `${label}="${all ?? labelValue(kind, Object.hasOwn(given, label) ? given[label] : undefined)}"`,
    )
    .join(',');
}

/** No form of a label holds a quote, a backslash or a line feed, so nothing needs escaping. */
function labelValue(kind: LabelKind, value: unknown): string {
  if (typeof kind === 'string') return String(formOf(kind, value));
  return kind.find((word) => word === value) ?? INVALID;
}

function textOf(name: string, entry: MetricEntry, found: ReadonlyMap<string, Series> | undefined): string {
  if (found === undefined || found.size === 0) return '';
  const full = `deadlatch_${name}`;
  const lines = [`# HELP ${full} ${entry.help}`, `# TYPE ${full} ${entry.type}`];
  for (const { labels, value, sum, buckets } of found.values()) {
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
