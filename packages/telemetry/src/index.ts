export type { FieldKind } from './field-kinds.ts';
export * from './log-events.ts';
export * from './logger.ts';
export * from './metric-table.ts';
export * from './metrics.ts';
export * from './telemetry.ts';
export * from './trace-context.ts';
export * from './tracing.ts';
