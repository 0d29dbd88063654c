import { type Clock, DispatchError, ERROR_CODES, type ErrorCode } from '@deadlatch/kernel';
import type { Planner, ScheduleSummary, TicketSummary, TurnView } from './planner/planner.ts';

/** The bridge as a turn sees it. */
export interface ToolClient {
  list(): Promise<readonly string[]>;
  /** Resolves to the tool's structured answer, or to the code of its refusal. */
  call(name: string, input: Readonly<Record<string, unknown>>): Promise<ToolAnswer>;
}

export type ToolAnswer =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly code: ErrorCode };

/** A turn that has not ended by then is ended: budgets are part of the design (T1.8). */
export const MAX_STEPS = 12;
/** As long as whoever woke the agent waits for it, less what the last step may take. */
const MAX_MS = 25_000;

/** Nothing was decided: the same step may succeed later, so whoever woke the agent has to try again. */
const OUTAGES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unavailable',
  'rate_limited',
  'unauthenticated',
]);

/** What a confirmation or phrase in the conversation proves to have been done. */
const DONE_BY_TEMPLATE: ReadonlyMap<string, string> = new Map([
  ['M01', 'ticket.create'],
  ['M02', 'ticket.request_info'],
  ['M04', 'ticket.triage'],
  ['M05', 'schedule.propose'],
]);
const PHRASE = 'phrase:';

/** States in which something is on the ticket's calendar. */
const WITH_TIMES: ReadonlySet<string> = new Set([
  'READY_TO_SCHEDULE',
  'SCHEDULE_PROPOSED',
  'SCHEDULED',
  'DISPATCHED',
]);

/** What one run has done so far. */
interface Progress {
  readonly done: string[];
  isRefused: boolean;
}

/**
 * Plays one turn: look, choose, act, look again. Every choice is made from a fresh read, and what an earlier run of
 * the same turn did is read from the conversation, so a turn that was cut off is not played twice.
 *
 * A refusal is final for its command: the planner may still say that a person will look, and then the turn ends.
 * @returns how many commands were carried out
 * @throws DispatchError `unavailable` or `rate_limited` when a dependency failed: the turn is to be tried again
 * @source T1.8
 */
export async function runTurn(tools: ToolClient, planner: Planner, now: Clock): Promise<number> {
  const progress: Progress = { done: [], isRefused: false };
  const startedAt = now();
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (now() - startedAt > MAX_MS)
      throw new DispatchError('unavailable', { detail: 'the turn took too long' });
    const view = await look(tools, progress);
    if (view === null) break;
    const next = await planner.next(view);
    if (next.kind === 'finish') break;
    const answer = await tools.call(next.tool, next.input);
    if (answer.ok) {
      // Its level leaves this to a person, who sees it at once; the turn goes on when they have said yes.
      if (isSuggestion(answer.value)) break;
      progress.done.push(next.tool);
    } else if (answer.code !== 'version_conflict') {
      orOutage(answer.code);
      if (progress.isRefused) break;
      progress.isRefused = true;
    }
  }
  return progress.done.length;
}

/** Null when the turn may not even look any more: it has ended. */
async function look(tools: ToolClient, { done, isRefused }: Progress): Promise<TurnView | null> {
  const conversation = await tools.call('conversation.get', {});
  if (!conversation.ok) return orOutage(conversation.code);
  const names = new Set(await tools.list());
  const found = names.has('ticket.get') ? await tools.call('ticket.get', {}) : null;
  if (found?.ok === false) return orOutage(found.code);
  const ticket = found === null ? null : summary(found.value);
  const hasTimes = ticket !== null && WITH_TIMES.has(ticket.state) && names.has('schedule.options');
  const times = hasTimes ? await tools.call('schedule.options', {}) : null;
  if (times?.ok === false) return orOutage(times.code);
  const entries = entriesOf(conversation.value);
  const lastIn = entries.findLastIndex((entry) => entry.direction === 'IN');
  const inbound = entries.filter((entry) => entry.direction === 'IN').map(textOf);
  const before = templatesOf(entries.slice(0, Math.max(lastIn, 0)));
  return {
    tools: names,
    ticket,
    schedule: times === null ? null : scheduleSummary(times.value),
    message: inbound.at(-1) ?? null,
    earlier: inbound.slice(0, -1).filter((text) => text !== null),
    done: new Set([...templatesOf(entries.slice(lastIn + 1)).flatMap(doneBy), ...done]),
    said: before.flatMap((t) => (t.startsWith(PHRASE) ? [t.slice(PHRASE.length)] : [])),
    isRefused,
  };
}

/** @throws DispatchError when the code is an outage; otherwise there is nothing to look at, or nothing to do */
function orOutage(code: ErrorCode): null {
  if (OUTAGES.has(code)) throw new DispatchError(code === 'rate_limited' ? code : 'unavailable');
  return null;
}

function doneBy(template: string): string[] {
  if (template.startsWith(PHRASE)) return ['conversation.reply'];
  const command = DONE_BY_TEMPLATE.get(template);
  return command === undefined ? [] : [command];
}

type Members = Readonly<Record<string, unknown>>;

function isSuggestion({ result }: Members): boolean {
  return isMembers(result) && result.suggested === true;
}

function templatesOf(entries: readonly Members[]): string[] {
  return entries.flatMap((e) =>
    e.direction === 'OUT' && typeof e.template === 'string' ? [e.template] : [],
  );
}

function textOf(entry: Members): string | null {
  return entry.mask_state === 'RELEASED' && typeof entry.text === 'string' ? entry.text : null;
}

function entriesOf(conversation: Members): readonly Members[] {
  return Array.isArray(conversation.entries) ? conversation.entries.filter(isMembers) : [];
}

function summary({ ticket, incident_types: inForce }: Members): TicketSummary | null {
  if (!isMembers(ticket)) return null;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const answers = isMembers(ticket.answers) ? Object.entries(ticket.answers) : [];
  return {
    state: text(ticket.state) ?? '',
    type: text(ticket.incident_type),
    typeVersion: typeof ticket.incident_version === 'number' ? ticket.incident_version : null,
    priority: text(ticket.priority),
    missing: Array.isArray(ticket.missing) ? ticket.missing.filter((q) => typeof q === 'string') : [],
    answers: Object.fromEntries(
      answers.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
    inForce: new Map(
      Object.entries(isMembers(inForce) ? inForce : {}).filter(
        (entry): entry is [string, number] => typeof entry[1] === 'number',
      ),
    ),
  };
}

function scheduleSummary({ choice, options }: Members): ScheduleSummary {
  const open = Array.isArray(options) ? options.length : 0;
  if (!isMembers(choice) || typeof choice.id !== 'string' || choice.consumed !== false) {
    return { open, choice: null };
  }
  const kind = choice.kind === 'OPTION' || choice.kind === 'OTHER_TIME' ? choice.kind : null;
  return { open, choice: kind && { id: choice.id, kind } };
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a refusal's code; anything outside the closed union counts as an outage. */
export function readCode(value: unknown): ErrorCode {
  return ERROR_CODES.find((c) => c === value) ?? 'unavailable';
}
