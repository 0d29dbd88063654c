import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '@deadlatch/kernel';
import { type FieldsOf, listedFields } from './field-kinds.ts';
import { codeOf } from './logger.ts';
import { SPANS, type SpanName } from './spans.ts';
import { formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts';

export type AttributesOf<N extends SpanName> = FieldsOf<(typeof SPANS)[N]['attributes']>;

/** A span that is over, as it is exported. Every value in it went through the table. */
export interface FinishedSpan extends TraceContext {
  readonly name: SpanName;
  readonly parentSpanId: string | null;
  readonly links: readonly TraceContext[];
  /** milliseconds since the epoch, with fractions */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly isFailed: boolean;
}

/** Where finished spans go. */
export interface SpanSink {
  /** Never throws and never waits. */
  take(span: FinishedSpan): void;
  /** Sends what is left, within seconds. */
  close(): Promise<void>;
}

/** The span of a request, which may learn from its proof where it belongs. */
export interface RequestSpan {
  /**
   * Makes `parent` the parent. Only for a context that a proven service of ours sent, or that we signed ourselves.
   * Without effect once the span has children, which would stay behind in the other trace.
   */
  follow(parent: TraceContext | null): void;
  /** What the sender said of where it comes from, proven or not. */
  readonly inbound: TraceContext | null;
  end(attributes: AttributesOf<'request'>): void;
}

/** What may be added to a span while it runs. */
export type Annotate<N extends SpanName> = (attributes: AttributesOf<N>) => void;

/** The trace of what is being done now. It follows `await`, and no function is handed it. */
export interface Tracing {
  /** Of the current trace; null outside of any. */
  traceId(): string | null;
  /** Header of a call to a service of ours, or what is stored to go on with later; null outside of any trace. */
  traceparent(): string | null;
  /** Runs `work` in a span below the current one, or in a trace of its own when there is none. */
  span<N extends SpanName, R>(
    name: N,
    attributes: AttributesOf<N>,
    work: (annotate: Annotate<N>) => Promise<R>,
  ): Promise<R>;
  /** The same below what was stored earlier by ourselves; never below anything that arrived from outside. */
  resume<N extends SpanName, R>(
    name: N,
    traceparent: string | null,
    attributes: AttributesOf<N>,
    work: (annotate: Annotate<N>) => Promise<R>,
  ): Promise<R>;
  /**
   * Begins the span of a request in a trace of its own, and runs `next` in it.
   * @param traceparent the header as it came: a link, until `follow` is told otherwise
   */
  request(traceparent: unknown, next: (span: RequestSpan) => void): void;
}

/** Wall-clock time with fractions of a millisecond: round trips to a database on the same machine last one or two. */
const preciseClock: Clock = () => performance.timeOrigin + performance.now();

const SPAN_BYTES = 8;
const TRACE_BYTES = 16;
/** One draw of randomness costs as much as the ids of a request, so it is for many. */
const DRAWN_AHEAD = 64 * (SPAN_BYTES + TRACE_BYTES);

/**
 * Traces of this process. A trace id exists and runs along whether anybody collects spans or not; without a sink there
 * are no spans below that of a request, only ids.
 * @param random returns exactly `n` random bytes
 * @invariant what a stranger sent never becomes trace id or parent, and no baggage or trace state is read or written
 * @source F.3, T5.1, W3C Trace Context
 */
export function createTracing(options: {
  readonly random: (n: number) => Uint8Array;
  readonly sink?: SpanSink | null;
  readonly now?: Clock;
}): Tracing {
  const { sink = null, now = preciseClock } = options;
  const newId = createHexMaker(options.random);
  const store = new AsyncLocalStorage<OpenSpan>();
  const open = (
    name: SpanName,
    parent: TraceContext | null,
    links: readonly TraceContext[] = [],
  ): OpenSpan => ({
    name,
    traceId: parent?.traceId ?? newId(TRACE_BYTES),
    spanId: newId(SPAN_BYTES),
    parentSpanId: parent?.spanId ?? null,
    links,
    startedAt: sink === null ? 0 : now(),
    attributes: {},
    hasChildren: false,
  });
  const annotate = (span: OpenSpan, attributes: object): void => {
    if (sink === null || !Object.hasOwn(SPANS, span.name)) return;
    const given = attributes as Readonly<Record<string, unknown>>;
    Object.assign(span.attributes, listedFields(SPANS[span.name].attributes, given));
  };
  const finish = (span: OpenSpan): void => {
    // A name outside the table could itself be data.
    if (sink === null || !Object.hasOwn(SPANS, span.name)) return;
    const { hasChildren: _, ...rest } = span;
    sink.take({ ...rest, endedAt: now(), isFailed: Object.hasOwn(span.attributes, 'error.type') });
  };
  const below = async <N extends SpanName, R>(
    name: N,
    parent: OpenSpan | TraceContext | null,
    attributes: AttributesOf<N>,
    work: (annotate: Annotate<N>) => Promise<R>,
  ): Promise<R> => {
    const span = open(name, parent);
    annotate(span, attributes);
    try {
      return await store.run(span, () => work((more) => annotate(span, more)));
    } catch (error) {
      annotate(span, { 'error.type': codeOf(error) });
      throw error;
    } finally {
      finish(span);
    }
  };
  return {
    traceId: () => store.getStore()?.traceId ?? null,
    traceparent() {
      const span = store.getStore();
      if (span === undefined) return null;
      span.hasChildren = true;
      return formatTraceparent(span);
    },
    span(name, attributes, work) {
      const parent = store.getStore();
      // Nobody collects: the ids are all there is to keep.
      if (sink === null && parent !== undefined) return work(ignore);
      if (parent !== undefined) parent.hasChildren = true;
      return below(name, parent ?? null, attributes, work);
    },
    resume: (name, traceparent, attributes, work) =>
      below(name, parseTraceparent(traceparent), attributes, work),
    request(traceparent, next) {
      const inbound = parseTraceparent(traceparent);
      const span = open('request', null, inbound === null ? [] : [inbound]);
      store.run(span, () =>
        next({
          inbound,
          follow(parent) {
            if (parent === null || span.hasChildren) return;
            span.traceId = parent.traceId;
            span.parentSpanId = parent.spanId;
            span.links = span.links.filter((link) => link.spanId !== parent.spanId);
          },
          end(attributes) {
            annotate(span, attributes);
            finish(span);
          },
        }),
      );
    },
  };
}

interface OpenSpan {
  readonly name: SpanName;
  traceId: string;
  readonly spanId: string;
  parentSpanId: string | null;
  links: readonly TraceContext[];
  readonly startedAt: number;
  readonly attributes: Record<string, string | number>;
  hasChildren: boolean;
}

const ignore = (): void => {};

/** Ids of `n` bytes in hexadecimal. */
function createHexMaker(random: (n: number) => Uint8Array): (n: number) => string {
  let block = Buffer.alloc(0);
  let used = 0;
  return (n) => {
    if (used + n > block.byteLength) {
      block = Buffer.from(random(DRAWN_AHEAD));
      used = 0;
    }
    const id = block.toString('hex', used, used + n);
    used += n;
    // All zero means "none" in trace context.
    return /[^0]/.test(id) ? id : id.replace(/.$/, '1');
  };
}
