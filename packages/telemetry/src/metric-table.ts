import { REFUSAL_DIMENSIONS } from '@deadlatch/kernel';
import type { FieldKind } from './field-kinds.ts';

/** What a label may hold: one of a few words, or a kind of which a program has few values. Never an id or a number. */
export type LabelKind =
  | readonly string[]
  | Extract<FieldKind, 'word' | 'route' | 'method' | 'status_class' | 'code'>;

export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, LabelKind>>;
  /** Upper bounds of a histogram's buckets, rising, in its unit. */
  readonly buckets?: readonly number[];
}

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const DIMENSIONS = ['none', ...REFUSAL_DIMENSIONS] as const;

/**
 * Everything the services can measure; `deadlatch_` stands before each name where it is read. A metric that is not in
 * this table cannot be written, a label that is not in its entry cannot appear, and a value that has not the form of its
 * kind is written as `[invalid]`. To measure something new, add it here.
 * @source T5.1
 */
export const METRICS = {
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the headers of a request to the end of its answer.',
    labels: { method: 'method', route: 'route', status: 'status_class' },
    buckets: SECONDS,
  },
  http_refusals_total: {
    type: 'counter',
    help: 'Requests that were refused, by the gate that refused them.',
    labels: { dimension: REFUSAL_DIMENSIONS },
  },
  commands_total: {
    type: 'counter',
    help: 'Commands of proven callers. A name outside the catalogue counts as unknown.',
    labels: { command: 'word', decision: ['accepted', 'replayed', 'refused'], dimension: DIMENSIONS },
  },
  command_duration_seconds: {
    type: 'histogram',
    help: 'Time a command takes from its proof to its commit.',
    labels: { decision: ['accepted', 'replayed', 'refused'] },
    buckets: SECONDS,
  },
  tool_calls_total: {
    type: 'counter',
    help: 'Tool calls of agents. A name that is no tool counts as unlisted.',
    labels: { tool: 'word', dimension: DIMENSIONS },
  },
  outbox_oldest_age_seconds: {
    type: 'gauge',
    help: 'Age of the oldest committed message or wake-up that nobody has relayed; 0 when none waits.',
    labels: {},
  },
  outbox_waiting: {
    type: 'gauge',
    help: 'Committed messages and wake-ups that nobody has relayed.',
    labels: {},
  },
  timer_lateness_seconds: {
    type: 'gauge',
    help: 'How long the timer that has been due longest has waited; 0 when none is due.',
    labels: {},
  },
  outbox_tries_total: {
    type: 'counter',
    help: 'Tries to relay a row or fire a timer.',
    labels: { task: 'word', outcome: ['done', 'retry', 'abandoned'] },
  },
  inbox_waiting: {
    type: 'gauge',
    help: 'Events taken over from the carrier that were not handed on.',
    labels: {},
  },
  deliveries_total: {
    type: 'counter',
    help: 'Deliveries of messages, by how they ended.',
    labels: { state: ['sent', 'failed', 'superseded'] },
  },
  sequencing_lag_seconds: {
    type: 'gauge',
    help: 'Age of the oldest audit event that is not in the log; 0 when all are.',
    labels: {},
  },
  log_size: { type: 'gauge', help: 'Audit events in the log.', labels: {} },
  witnessed_size: { type: 'gauge', help: 'Size of the log that the witness last cosigned.', labels: {} },
  receipts_pending: {
    type: 'gauge',
    help: 'Receipts whose events were not seen in the log.',
    labels: {},
  },
  receipt_oldest_age_seconds: {
    type: 'gauge',
    help: 'Age of the oldest receipt whose event was not seen in the log; 0 when there is none.',
    labels: {},
  },
  witness_alarms: { type: 'gauge', help: 'Events that are missing or late in the log.', labels: {} },
  spans_lost_total: { type: 'counter', help: 'Spans that the collector did not take.', labels: {} },
  resident_memory_bytes: { type: 'gauge', help: 'Memory of this process in RAM.', labels: {} },
  started_at_seconds: { type: 'gauge', help: 'When this process started, in Unix time.', labels: {} },
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricName = keyof typeof METRICS;
