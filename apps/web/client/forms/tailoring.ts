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
  // Of what was shown; nobody types it.
  if (command === 'suggestion.accept') return ['digest'];
  if (command === 'tech.check_out' && !['PARTS', 'NO_ACCESS'].includes(String(memberOf(value, 'outcome')))) {
    return ['hold_until'];
  }
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

/**
 * The incident type that a form is about: the one being chosen in it, or else the ticket's, in the ticket's version.
 * @param incidents those in force: without one nothing is asked, and the gate says why
 */
export function incidentOf(
  value: FormValue,
  incidents: readonly IncidentForm[],
  current: IncidentForm | undefined,
): IncidentForm | undefined {
  const chosen = memberOf(value, 'type');
  if (typeof chosen !== 'string' || chosen === current?.type) return current;
  return incidents.find((item) => item.type === chosen);
}

/**
 * Once a type is chosen at triage, its questions stand there to be answered, and one that an answer brings up follows;
 * answers given already stay, and a row that somebody took out does not come back.
 */
export function withQuestions(
  command: string,
  before: FormValue,
  after: FormValue,
  incidents: readonly IncidentForm[],
  current: IncidentForm | undefined,
): FormValue {
  if (command !== 'ticket.triage') return after;
  const isSameType = memberOf(before, 'type') === memberOf(after, 'type');
  const stood = isSameType ? requiredNow(before, incidentOf(before, incidents, current)) : [];
  const rows = rowsOf(after);
  const missing = requiredNow(after, incidentOf(after, incidents, current)).filter(
    (question) => !stood.includes(question) && !rows.some((row) => memberOf(row, 'question') === question),
  );
  if (isSameType && missing.length === 0) return after;
  const kept = isSameType ? rows : rows.filter((row) => memberOf(row, 'answer') !== undefined);
  return withMember(after, 'answers', [...kept, ...missing.map((question) => ({ question }))]);
}

function rowsOf(value: FormValue): readonly FormValue[] {
  const given = memberOf(value, 'answers');
  return Array.isArray(given) ? given : [];
}

/** The questions that the type needs with the answers that stand in the form. */
function requiredNow(value: FormValue, incident: IncidentForm | undefined): readonly string[] {
  const rows = rowsOf(value);
  const isNo = (question: string) =>
    rows.some((row) => memberOf(row, 'question') === question && memberOf(row, 'answer') === 'no');
  return (incident?.ask ?? [])
    .filter((item) => item.required && !item.unless_no.some(isNo))
    .map((item) => item.question);
}
