import { LOG_EVENTS, type LogEventTable, type Logger } from '@deadlatch/telemetry';

/** What the sequencer says beside the common lines. */
export const SEQUENCER_LOG_EVENTS = {
  ...LOG_EVENTS,
  'log.opened': {
    level: 'info',
    message: 'audit log opened for writing',
    fields: { epoch: 'count', size: 'count', published: 'count' },
  },
  'log.sequenced': {
    level: 'debug',
    message: 'events have their place in the log',
    fields: { size: 'count' },
  },
  'log.published': { level: 'debug', message: 'cosigned checkpoint published', fields: { size: 'count' } },
  'log.halted': {
    level: 'error',
    message: 'audit log does not go on until this is put right: nothing is sequenced or signed',
    fields: { reason: 'word' },
  },
  'log.interrupted': {
    level: 'warn',
    message: 'audit log is opened again after a failure',
    fields: { code: 'code', error: 'word', error_code: 'error_code', place: 'place' },
  },
  'log.waits_for_witness': {
    level: 'warn',
    message: 'no checkpoint is published until the witness cosigns it',
    fields: { reason: 'word' },
  },
} as const satisfies LogEventTable;

export type SequencerLogger = Logger<typeof SEQUENCER_LOG_EVENTS>;
