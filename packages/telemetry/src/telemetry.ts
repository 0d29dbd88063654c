import { createMetrics, type Metrics } from './metrics.ts';
import { createOtlpSink } from './otlp-sink.ts';
import { createTracing, type Tracing } from './tracing.ts';

/** What a process tells of itself beside its log. */
export interface Telemetry {
  readonly tracing: Tracing;
  readonly metrics: Metrics;
  /** Sends what is left, within seconds; to be called last. */
  close(): Promise<void>;
}

/**
 * Traces and metrics of one process.
 * @param otlpEndpoint where spans are sent; null: trace ids exist and run along, and nobody collects spans
 * @param random returns exactly `n` random bytes
 */
export function createTelemetry(options: {
  readonly service: string;
  readonly environment: string;
  readonly otlpEndpoint: string | null;
  readonly random: (n: number) => Uint8Array;
}): Telemetry {
  const { service, environment, otlpEndpoint: endpoint, random } = options;
  const metrics = createMetrics();
  metrics.set('started_at_seconds', {}, Math.floor(performance.timeOrigin / 1_000));
  metrics.beforeRead(['resident_memory_bytes'], async () =>
    metrics.set('resident_memory_bytes', {}, process.memoryUsage.rss()),
  );
  const onLost = (spans: number) => metrics.add('spans_lost_total', {}, spans);
  const sink = endpoint === null ? null : createOtlpSink({ endpoint, service, environment, onLost });
  return {
    tracing: createTracing({ random, sink }),
    metrics,
    close: async () => sink?.close(),
  };
}
