import { METRICS, type MetricEntry } from '@deadlatch/telemetry';
import { code, page, table } from './markdown.ts';

/** `docs/reference/metrics.md`: everything that is measured. */
export function metricsPage(): string {
  return page('Metrics', '`packages/telemetry/src/metric-table.ts`', [
    'What each process answers at `GET /metrics`, of the metrics that are its own. A label holds one of the listed words, ' +
      'or a value of the named form; anything else is written as `[invalid]`.',
    table(
      ['metric', 'type', 'labels', 'what'],
      Object.entries<MetricEntry>(METRICS).map(([name, { type, labels, help }]) => [
        code(`deadlatch_${name}`),
        type,
        Object.entries(labels)
          .map(([label, kind]) => `${code(label)}: ${typeof kind === 'string' ? kind : kind.join(', ')}`)
          .join('; ') || '-',
        help,
      ]),
    ),
  ]);
}
