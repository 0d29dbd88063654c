/** Where a span stands: its trace and itself, in lower-case hexadecimal. */
export interface TraceContext {
  /** 16 bytes, not all zero */
  readonly traceId: string;
  /** 8 bytes, not all zero */
  readonly spanId: string;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/**
 * Reads a `traceparent`. Whether whoever sent it may name our parent is not decided here: see `RequestSpan`.
 * @returns null for whatever is not exactly one value of version 00; such a header is as good as none
 * @source W3C Trace Context, section 3.2
 */
export function parseTraceparent(value: unknown): TraceContext | null {
  const [, traceId, spanId] = (typeof value === 'string' ? TRACEPARENT.exec(value) : null) ?? [];
  return traceId === undefined || spanId === undefined ? null : { traceId, spanId };
}

/** The `traceparent` that makes `context` the parent; always sampled, since we record all of a trace or nothing. */
export function formatTraceparent({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}
