import type { CommandForm, IncidentForm, Schema, TicketPage } from '../api.ts';
import { type FormValue, memberOf, withMember } from './values.ts';

/**
 * Where a form says less than its schema, so that nobody is asked what the device knows or what cannot be sent.
 * Nothing here permits anything: the gate judges what arrives.
 */
export function askedOf(form: CommandForm, value: FormValue): Schema {
  const hidden = hiddenFields(form.name, value);
  if (hidden.length === 0) return form.input;
  const properties = Object.entries(form.input.properties ?? {}).filter(([name]) => !hidden.includes(name));
  return { ...form.input, properties: Object.fromEntries(properties) };
}

function hiddenFields(command: string, value: FormValue): readonly string[] {
  // A claim of the device, sent by itself; the position is not asked for.
  if (command === 'tech.check_in') return ['client_time', 'position'];
  if (command === 'qa.verify' && memberOf(value, 'result') !== 'FAIL') return ['wanting', 'rework'];
  return [];
}

/** What is sent beside what was asked. @param now an instant of the device, in RFC 3339 */
export function sentBeside(command: string, now: string): Readonly<Record<string, FormValue>> {
  return command === 'tech.check_in' ? { client_time: now } : {};
}

/** What a form starts with, so that nobody copies what the page shows beside it. */
export function startOf(
  command: string,
  page: Pick<TicketPage, 'invoice'>,
): Readonly<Record<string, FormValue>> {
  const total = page.invoice?.total_cents;
  return command === 'payment.record' && total !== undefined ? { amount_cents: total } : {};
}

/** The incident type that a form is about: the one being chosen in it, or else the ticket's. */
export function incidentOf(
  value: FormValue,
  incidents: readonly IncidentForm[],
  current: IncidentForm | undefined,
): IncidentForm | undefined {
  const chosen = memberOf(value, 'type');
  return typeof chosen === 'string' ? incidents.find((item) => item.type === chosen) : current;
}

/** Once a type is chosen at triage, its questions stand there to be answered; answers given already stay. */
export function withQuestions(
  command: string,
  before: FormValue,
  after: FormValue,
  incidents: readonly IncidentForm[],
): FormValue {
  if (command !== 'ticket.triage' || memberOf(before, 'type') === memberOf(after, 'type')) return after;
  const given = memberOf(after, 'answers');
  const rows = Array.isArray(given) ? given : [];
  const asked = incidentOf(after, incidents, undefined)?.ask.filter((item) => item.required) ?? [];
  const missing = asked.filter((item) => !rows.some((row) => memberOf(row, 'question') === item.question));
  const kept = rows.filter((row) => memberOf(row, 'answer') !== undefined);
  return withMember(after, 'answers', [...kept, ...missing.map((item) => ({ question: item.question }))]);
}
