export type { FieldKind } from './field-kinds.ts';
export * from './log-events.ts';
export * from './logger.ts';
