import { LOG_EVENTS, type LogEventTable, type Logger } from '@deadlatch/telemetry';

/**
 * What the gateway says beside the common lines. Carrier ids are not logged: they are no secret, but every form
 * that would hold them could hold a telephone number too.
 */
export const GATEWAY_LOG_EVENTS = {
  ...LOG_EVENTS,
  'inbox.known': {
    level: 'info',
    message: 'carrier repeated an event that was used',
    fields: { kind: 'word' },
  },
  'inbox.handed_over': { level: 'info', message: 'inbound event handed over', fields: { kind: 'word' } },
  'inbox.turned_away': {
    level: 'info',
    message: 'text of a stranger beyond the rate was not kept',
    fields: {},
  },
  'inbox.held': {
    level: 'error',
    message: 'inbound event can never be handed over and waits for a person',
    fields: { code: 'code' },
  },
  'inbox.stalled': {
    level: 'error',
    message: 'inbox cannot be read or written',
    fields: { error: 'word', error_code: 'error_code', place: 'place' },
  },
} as const satisfies LogEventTable;

export type GatewayLogger = Logger<typeof GATEWAY_LOG_EVENTS>;
