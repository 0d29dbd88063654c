import { DispatchError, ERROR_CODES, type ErrorCode } from '@deadlatch/kernel';
import type { Planner, TicketSummary, TurnView } from './planner/planner.ts';

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
const MAX_STEPS = 12;

/**
 * Plays one turn: look, choose, act, look again. Nothing is remembered but what was done; every choice is made
 * from a fresh read.
 * @returns how many commands were carried out
 * @throws DispatchError `unavailable` when a dependency failed, so that whoever woke the agent tries again
 */
export async function runTurn(tools: ToolClient, planner: Planner): Promise<number> {
  const done: string[] = [];
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const view = await look(tools, done);
    const next = await planner.next(view);
    if (next.kind === 'finish') break;
    const answer = await tools.call(next.tool, next.input);
    if (!answer.ok) {
      if (answer.code === 'unavailable' || answer.code === 'rate_limited')
        throw new DispatchError(answer.code);
      // A refusal is final for this turn: the gate has spoken and a person can see it in the audit trail.
      break;
    }
    done.push(next.tool);
  }
  return done.length;
}

async function look(tools: ToolClient, done: readonly string[]): Promise<TurnView> {
  const names = new Set(await tools.list());
  const conversation = need(await tools.call('conversation.get', {}));
  const ticket = names.has('ticket.get') ? need(await tools.call('ticket.get', {})).ticket : null;
  const inbound = entriesOf(conversation).filter((e) => e.direction === 'IN');
  const texts = inbound.map((e) =>
    e.mask_state === 'RELEASED' && typeof e.text === 'string' ? e.text : null,
  );
  return {
    tools: names,
    ticket: ticket ? summary(ticket as Record<string, unknown>) : null,
    message: texts.at(-1) ?? null,
    earlier: texts.slice(0, -1).filter((t) => t !== null),
    done,
  };
}

function need(answer: ToolAnswer): Readonly<Record<string, unknown>> {
  if (!answer.ok) throw new DispatchError(answer.code);
  return answer.value;
}

function entriesOf(conversation: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  return Array.isArray(conversation.entries) ? (conversation.entries as Record<string, unknown>[]) : [];
}

function summary(ticket: Readonly<Record<string, unknown>>): TicketSummary {
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  return {
    state: text(ticket.state) ?? '',
    type: text(ticket.incident_type),
    priority: text(ticket.priority),
    missing: Array.isArray(ticket.missing) ? ticket.missing.filter((q) => typeof q === 'string') : [],
    answers: (ticket.answers ?? {}) as Record<string, string>,
  };
}

/** Reads a refusal's code; anything outside the closed union counts as an outage. */
export function readCode(value: unknown): ErrorCode {
  return ERROR_CODES.find((c) => c === value) ?? 'unavailable';
}
