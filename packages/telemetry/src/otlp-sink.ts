import type { HrTime, Link, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { SPANS } from './spans.ts';
import type { TraceContext } from './trace-context.ts';
import type { FinishedSpan, SpanSink } from './tracing.ts';

/** Of OpenTelemetry's `SpanKind` and `SpanStatusCode`, by number, so that their package is loaded only with the exporter. */
const KINDS = { internal: 0, server: 1, client: 2, consumer: 4 } as const;
const UNSET = 0;
const ERROR = 2;
const SAMPLED = 1;

/** A collector that does not answer costs memory for this many spans, then spans. */
const QUEUE = 4_096;
const EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;
/** Whoever stops a service is not kept waiting for a collector. */
const CLOSE_MS = 2_000;

export interface OtlpOptions {
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`: address of the collector without `/v1/traces` */
  readonly endpoint: string;
  readonly service: string;
  readonly environment: string;
  /** Told how many spans the collector did not take. */
  readonly onLost: (spans: number) => void;
}

/**
 * Sends spans to a collector by OTLP over HTTP, in batches, in the background. The libraries are loaded here, when
 * somebody collects: about 4 MB in each process otherwise.
 *
 * What is exported about the process is its name and environment; no detector looks for more.
 * @source OTLP 1.x, https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function createOtlpSink(options: OtlpOptions): SpanSink {
  let pipe: SpanSink | null = null;
  const early: FinishedSpan[] = [];
  const opening = openPipe(options).then(
    (opened) => {
      pipe = opened;
      for (const span of early.splice(0)) opened.take(span);
    },
    () => options.onLost(early.splice(0).length),
  );
  return {
    take(span) {
      if (pipe !== null) pipe.take(span);
      else if (early.length < QUEUE) early.push(span);
      else options.onLost(1);
    },
    async close() {
      const late = new Promise<void>((done) => void setTimeout(done, CLOSE_MS).unref());
      await Promise.race([opening.then(() => pipe?.close()), late]);
    },
  };
}

async function openPipe(options: OtlpOptions): Promise<SpanSink> {
  const { BatchSpanProcessor } = await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const exporter = new OTLPTraceExporter({
    url: `${options.endpoint}/v1/traces`,
    timeoutMillis: TIMEOUT_MS,
  });
  const processor = new BatchSpanProcessor({
    exporter: counting(exporter, options.onLost),
    maxQueueSize: QUEUE,
    scheduledDelayMillis: EVERY_MS,
    exportTimeoutMillis: TIMEOUT_MS,
  });
  const resource = resourceFromAttributes({
    'service.name': options.service,
    'service.namespace': 'deadlatch',
    'deployment.environment.name': options.environment,
  });
  return {
    take: (span) => processor.onEnd(readable(span, resource)),
    close: () => processor.shutdown().catch(() => undefined),
  };
}

function counting(exporter: SpanExporter, onLost: (spans: number) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== 0) onLost(spans.length);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

function readable(span: FinishedSpan, resource: ReadableSpan['resource']): ReadableSpan {
  const parent = span.parentSpanId;
  return {
    name: span.name,
    kind: KINDS[SPANS[span.name].kind],
    spanContext: () => contextOf(span),
    ...(parent !== null && { parentSpanContext: contextOf({ traceId: span.traceId, spanId: parent }) }),
    startTime: timeOf(span.startedAt),
    endTime: timeOf(span.endedAt),
    duration: timeOf(Math.max(0, span.endedAt - span.startedAt)),
    ended: true,
    status: { code: span.isFailed ? ERROR : UNSET },
    attributes: span.attributes,
    links: span.links.map((link): Link => ({ context: contextOf(link) })),
    events: [],
    resource,
    instrumentationScope: { name: 'deadlatch' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function contextOf({ traceId, spanId }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: SAMPLED };
}

/** Whole seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.floor((ms - seconds * 1_000) * 1_000_000)];
}
