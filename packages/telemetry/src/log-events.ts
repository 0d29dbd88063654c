import type { FieldKinds } from './field-kinds.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One kind of log line: its level, its constant sentence, and the only fields it can have. */
export interface LogEventEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: FieldKinds;
}

export type LogEventTable = Readonly<Record<string, LogEventEntry>>;

/**
 * Everything the services can log. A line that is not in this table cannot be written, and a field that is not
 * in its entry cannot appear: to log something new, add it here, with the narrowest kind that holds it.
 * @source T5.1
 */
export const LOG_EVENTS = {
  'service.started': { level: 'info', message: 'service started', fields: { port: 'count' } },
  'service.stopping': { level: 'info', message: 'service stopping', fields: {} },
  'service.stopped': { level: 'info', message: 'service stopped', fields: {} },
  'service.not_ready': {
    level: 'warn',
    message: 'a dependency is not ready',
    fields: { code: 'code', error: 'word', place: 'place' },
  },
  'request.answered': {
    level: 'debug',
    message: 'request answered',
    fields: { route: 'route', status: 'count', ms: 'count', request_id: 'id' },
  },
  'request.refused': {
    level: 'info',
    message: 'request refused',
    fields: {
      route: 'route',
      code: 'code',
      dimension: 'dimension',
      reason: 'word',
      status: 'count',
      request_id: 'id',
    },
  },
  'request.failed': {
    level: 'error',
    message: 'request failed unexpectedly and was refused',
    fields: {
      route: 'route',
      code: 'code',
      error: 'word',
      error_code: 'error_code',
      place: 'place',
      request_id: 'id',
    },
  },
  'call.failed': {
    level: 'warn',
    message: 'call to another service failed',
    fields: { service: 'word', route: 'route', code: 'code', correlation_id: 'id' },
  },
  'command.committed': {
    level: 'info',
    message: 'command committed',
    fields: {
      command: 'word',
      event_id: 'id',
      correlation_id: 'id',
      service: 'word',
      ticket_id: 'id',
      replayed: 'count',
      tries: 'count',
      ms: 'count',
    },
  },
  'command.refused': {
    level: 'info',
    message: 'command refused',
    fields: {
      command: 'word',
      code: 'code',
      dimension: 'dimension',
      correlation_id: 'id',
      service: 'word',
      ms: 'count',
    },
  },
  'message.received': {
    level: 'info',
    message: 'inbound message taken over',
    fields: { channel: 'word', message_id: 'id', correlation_id: 'id', mask_state: 'word', doubts: 'count' },
  },
  'inbox.stored': { level: 'info', message: 'inbound message stored', fields: { channel: 'word' } },
  'inbox.retry': {
    level: 'warn',
    message: 'inbound message waits for another try',
    fields: { code: 'code', attempts: 'count', waiting: 'count' },
  },
  'webhook.refused': {
    level: 'warn',
    message: 'webhook refused',
    fields: { route: 'route', reason: 'word', code: 'code' },
  },
  'turn.started': { level: 'info', message: 'turn started', fields: { turn_id: 'id', correlation_id: 'id' } },
  'turn.finished': {
    level: 'info',
    message: 'turn finished',
    fields: { turn_id: 'id', correlation_id: 'id', steps: 'count', ms: 'count' },
  },
  'turn.failed': {
    level: 'warn',
    message: 'turn failed',
    fields: { turn_id: 'id', correlation_id: 'id', code: 'code', steps: 'count' },
  },
  'tool.called': {
    level: 'info',
    message: 'tool called',
    fields: { tool: 'word', turn_id: 'id', correlation_id: 'id', code: 'code', ms: 'count' },
  },
  'delivery.sent': {
    level: 'info',
    message: 'message handed to the carrier',
    fields: { message_id: 'id', channel: 'word' },
  },
  'delivery.failed': {
    level: 'warn',
    message: 'message could not be delivered',
    fields: { message_id: 'id', channel: 'word', code: 'code', attempts: 'count' },
  },
  'delivery.superseded': {
    level: 'info',
    message: 'message was no longer true and was not sent',
    fields: { message_id: 'id' },
  },
  'delivery.reported': {
    level: 'info',
    message: 'carrier reported on a message',
    fields: { message_id: 'id', status: 'word' },
  },
  'outbox.relayed': {
    level: 'debug',
    message: 'outbox row relayed',
    fields: { kind: 'word', outbox_id: 'id' },
  },
  'outbox.retry': {
    level: 'warn',
    message: 'outbox row waits for another try',
    fields: { kind: 'word', outbox_id: 'id', attempts: 'count', code: 'code' },
  },
  'outbox.abandoned': {
    level: 'info',
    message: 'outbox row can never be relayed and was given up',
    fields: { kind: 'word', outbox_id: 'id', attempts: 'count', code: 'code' },
  },
  'timer.fired': { level: 'info', message: 'timer fired', fields: { command: 'word', ref_id: 'id' } },
  sign_in: { level: 'info', message: 'somebody signed in', fields: { kind: 'word', session_id: 'id' } },
  'sign_in.refused': { level: 'info', message: 'sign-in refused', fields: { kind: 'word', code: 'code' } },
  'step_up.code_sent': { level: 'info', message: 'one-time code sent', fields: { approval_id: 'id' } },
  'step_up.proven': {
    level: 'info',
    message: 'step-up proven',
    fields: { approval_id: 'id', level: 'word' },
  },
  'step_up.refused': {
    level: 'info',
    message: 'step-up refused',
    fields: { approval_id: 'id', code: 'code', tries: 'count' },
  },
  'token.minted': {
    level: 'info',
    message: 'user token minted',
    fields: { scope: 'word', service: 'word', txn: 'id', correlation_id: 'id' },
  },
  'reveal.made': {
    level: 'info',
    message: 'personal data revealed against a grant',
    fields: { purpose: 'word', service: 'word', ref_id: 'id', grant_id: 'id' },
  },
  'reveal.refused': {
    level: 'warn',
    message: 'reveal refused',
    fields: { code: 'code', reason: 'word', service: 'word' },
  },
  'text.masked': {
    level: 'info',
    message: 'text masked',
    fields: { text_id: 'id', mask_state: 'word', spans: 'count', ms: 'count' },
  },
  'tls.files_unusable': {
    level: 'warn',
    message: 'rewritten certificate files are not usable and were not taken',
    fields: { reason: 'word' },
  },
  'keys.file_not_taken': {
    level: 'warn',
    message: 'the key file is not used as it is and the key before it goes on',
    fields: { purpose: 'word', reason: 'word' },
  },
  'log.late': {
    level: 'error',
    message: 'no witness has seen the log in time and acts of authority are refused',
    fields: { reason: 'word' },
  },
  'log.timely': { level: 'info', message: 'the log is witnessed in time again', fields: {} },
  'log.restored_backup': {
    level: 'error',
    message: 'the database lies behind what was witnessed and nothing is served',
    fields: { size: 'count', seen: 'count' },
  },
  'receipt.missing': {
    level: 'error',
    message:
      'an accepted command was answered without a valid receipt and nobody demands its event from the log',
    fields: { event_id: 'id', reason: 'word' },
  },
  'receipts.waiting': {
    level: 'warn',
    message: 'receipts could not be handed to the witness and wait',
    fields: { code: 'code', waiting: 'count' },
  },
  'receipts.given_up': {
    level: 'error',
    message: 'receipts were given up and nobody demands their events from the log',
    fields: { reason: 'word', count: 'count' },
  },
  'database.migrated': { level: 'info', message: 'database migrated', fields: { applied: 'count' } },
} as const satisfies LogEventTable;
