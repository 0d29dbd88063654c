import { LOG_EVENTS, type LogEventTable, type Logger } from '@deadlatch/telemetry';

/** What the witness says beside the common lines. */
export const WITNESS_LOG_EVENTS = {
  ...LOG_EVENTS,
  'checkpoint.cosigned': { level: 'debug', message: 'checkpoint cosigned', fields: { size: 'count' } },
  'checkpoint.withheld': {
    level: 'warn',
    message: 'checkpoint is consistent and was not cosigned because events are missing',
    fields: { size: 'count', alarms: 'count', overdue: 'count' },
  },
  'checkpoint.refused': {
    level: 'warn',
    message: 'checkpoint refused',
    fields: { reason: 'word', size: 'count', known: 'count' },
  },
  'receipts.taken': {
    level: 'debug',
    message: 'receipts taken over',
    fields: { service: 'word', taken: 'count' },
  },
  'receipts.refused': {
    level: 'warn',
    message: 'receipts that are none of this log',
    fields: { service: 'word', refused: 'count' },
  },
  'proofs.unavailable': {
    level: 'warn',
    message: 'the log shows no usable proofs and receipts wait',
    fields: { code: 'code', pending: 'count' },
  },
  'proof.wrong': {
    level: 'error',
    message: 'the log showed a proof that proves nothing',
    fields: { event_id: 'id' },
  },
  'alarm.raised': {
    level: 'error',
    message: 'the log does not hold what was promised',
    fields: { kind: 'word', event_id: 'id', size: 'count' },
  },
  'alarm.lowered': {
    level: 'warn',
    message: 'an alarm was lowered',
    fields: { kind: 'word', event_id: 'id', reason: 'word' },
  },
  'promise.given_up': {
    level: 'warn',
    message: 'people accepted a restore and an event that was promised before it is gone',
    fields: { event_id: 'id' },
  },
  'restore.taken': {
    level: 'warn',
    message: 'people accepted a restore',
    fields: { size: 'count' },
  },
  'restore.refused': {
    level: 'error',
    message: 'an acceptance of a restore does not count',
    fields: { reason: 'word' },
  },
} as const satisfies LogEventTable;

export type WitnessLogger = Logger<typeof WITNESS_LOG_EVENTS>;
