import assert from 'node:assert/strict';
import {
  createInputValidator,
  findCommand,
  INCIDENT_TYPES,
  incidentType,
  PRIORITIES,
  releasedVersions,
} from '@deadlatch/catalogue';
import type { ErrorCode } from '@deadlatch/kernel';
import type { ToolAnswer, ToolClient } from './run-turn.ts';

/** A stand-in for the bridge and everything behind it: a conversation whose ticket moves as the domain says. */
export interface World {
  readonly tools: ToolClient;
  /** `tool input` of every command that was carried out. */
  readonly commands: (readonly [string, Record<string, unknown>])[];
  /** Every tool that was asked for, reads too. */
  readonly asked: string[];
  readonly entries: Entry[];
  ticket: Ticket | null;
  /** Whether the turn is over: intake ends with what it made ready, and a turn of times begins. */
  hasEnded: boolean;
  /** What the message of this turn chose. */
  choice: { readonly id: string; readonly kind: string; readonly consumed: boolean } | null;
  /** How many offered times can be taken. */
  open: number;
  /** By which version each type is triaged; the newest unless told. */
  readonly inForce: Record<string, number>;
  /** Whether the agent may send somebody by itself. */
  sends: boolean;
  /** Says what the next command is refused with. */
  refuse: (tool: string) => ErrorCode | null;
  /** Runs before every call; throwing there is a crash of the agent. */
  before: (tool: string) => void;
  customerWrites(text: string | null): void;
}

interface Entry {
  readonly direction: 'IN' | 'OUT';
  readonly mask_state?: 'RELEASED' | 'WITHHELD';
  readonly text?: string | null;
  readonly template?: string;
}

interface Ticket {
  state: string;
  incident_type: string | null;
  incident_version: number | null;
  priority: string | null;
  missing: string[];
  answers: Record<string, string>;
}

type Answers = readonly { question: string; answer: string }[];

const TOOLS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    none: ['ticket.create'],
    NEW: ['ticket.request_info', 'ticket.triage'],
    NEEDS_INFO: ['ticket.provide_info', 'ticket.triage'],
    TRIAGED: ['ticket.request_info', 'ticket.ready'],
    READY_TO_SCHEDULE: ['schedule.propose'],
    SCHEDULE_PROPOSED: ['schedule.confirm', 'schedule.release'],
    SCHEDULED: ['schedule.reschedule', 'visit.dispatch'],
    DISPATCHED: ['schedule.reschedule'],
  }),
);

const problems = createInputValidator();
const CHOICE = '0198a000-0000-7000-8000-000000000310';

export function createWorld(ticket: Ticket | null = null): World {
  const list = () => [
    ...(TOOLS.get(world.ticket?.state ?? 'none') ?? []).filter(
      (name) => name !== 'visit.dispatch' || world.sends,
    ),
    'conversation.reply',
    'conversation.get',
    ...(world.ticket ? ['ticket.get', 'schedule.options'] : []),
  ];
  const world: World = {
    commands: [],
    asked: [],
    entries: [],
    ticket,
    hasEnded: false,
    choice: null,
    open: 0,
    inForce: Object.fromEntries(
      INCIDENT_TYPES.map((type) => [type, releasedVersions('incident_type', type).at(-1) ?? 0]),
    ),
    sends: false,
    refuse: () => null,
    before: () => undefined,
    customerWrites: (text) => {
      world.entries.push({ direction: 'IN', mask_state: text === null ? 'WITHHELD' : 'RELEASED', text });
      world.hasEnded = false;
      const kind = text === '0' ? 'OTHER_TIME' : text === '2' && world.open > 0 ? 'OPTION' : null;
      world.choice = kind && { id: CHOICE, kind, consumed: false };
    },
    tools: {
      list: async () => list(),
      call: async (name, input): Promise<ToolAnswer> => {
        world.before(name);
        world.asked.push(name);
        if (world.hasEnded) return { ok: false, code: 'turn_ended' };
        assert.ok(list().includes(name), `${name} is not a tool of this turn`);
        if (name === 'conversation.get') return { ok: true, value: { entries: world.entries } };
        if (name === 'ticket.get')
          return {
            ok: true,
            value: { ticket: structuredClone(world.ticket), incident_types: world.inForce },
          };
        if (name === 'schedule.options') {
          const options = Array.from({ length: world.open }, (_, at) => ({ number: at + 1 }));
          return { ok: true, value: { options, agreed: null, choice: world.choice } };
        }
        const entry = findCommand(name);
        assert.ok(entry);
        assert.deepEqual(problems(entry, true, input), [], `${name} ${JSON.stringify(input)}`);
        const code = world.refuse(name);
        if (code !== null) return { ok: false, code };
        world.commands.push([name, { ...input }]);
        carryOut(world, name, input);
        return { ok: true, value: {} };
      },
    },
  };
  return world;
}

function carryOut(world: World, name: string, input: Readonly<Record<string, unknown>>): void {
  const tell = (template: string) => world.entries.push({ direction: 'OUT', template });
  const { ticket } = world;
  if (name === 'ticket.create') {
    world.ticket = {
      state: 'NEW',
      incident_type: null,
      incident_version: null,
      priority: null,
      missing: [],
      answers: {},
    };
    tell('M01');
    return;
  }
  if (name === 'conversation.reply') {
    const asks = input.phrase === 'ask_intake_questions';
    assert.equal(asks, input.questions !== undefined, 'questions belong to exactly one phrase');
    tell(`phrase:${input.phrase}`);
    return;
  }
  assert.ok(ticket);
  if (name === 'ticket.triage') {
    answer(ticket, input.answers as Answers);
    ticket.state = 'TRIAGED';
    if (ticket.incident_type !== input.type) {
      ticket.incident_type = String(input.type);
      ticket.incident_version = world.inForce[ticket.incident_type] ?? null;
    }
    ticket.priority = priorityOf(ticket);
    tell('M04');
  } else if (name === 'ticket.request_info') {
    ticket.state = 'NEEDS_INFO';
    ticket.missing = [...(input.missing as string[])];
    tell('M02');
  } else if (name === 'ticket.provide_info') {
    answer(ticket, input.answers as Answers);
    ticket.state = 'NEW';
  } else if (name === 'ticket.ready') {
    ticket.state = 'READY_TO_SCHEDULE';
    world.hasEnded = true;
  } else if (name.startsWith('schedule.') || name === 'visit.dispatch') {
    arrange(world, ticket, name, tell);
  }
}

function arrange(world: World, ticket: Ticket, name: string, tell: (template: string) => void): void {
  const isOnChoice = name === 'schedule.confirm' || name === 'schedule.reschedule';
  if (isOnChoice) {
    assert.equal(world.choice?.consumed, false, 'a choice counts once');
    world.choice = world.choice && { ...world.choice, consumed: true };
  }
  const [state, open] = (
    {
      'schedule.propose': ['SCHEDULE_PROPOSED', 3],
      'schedule.confirm': ['SCHEDULED', 0],
      'schedule.release': ['READY_TO_SCHEDULE', 0],
      'schedule.reschedule': ['READY_TO_SCHEDULE', 0],
      'visit.dispatch': ['DISPATCHED', 0],
    } as const
  )[name] ?? ['', 0];
  ticket.state = state;
  world.open = open;
  if (name === 'schedule.propose') tell('M05');
  if (name === 'schedule.confirm' || name === 'visit.dispatch') tell('M06');
}

function answer(ticket: Ticket, given: Answers): void {
  assert.equal(new Set(given.map((g) => g.question)).size, given.length, 'one question is answered twice');
  for (const { question, answer: said } of given) ticket.answers[question] = said;
  ticket.missing = ticket.missing.filter((question) => !Object.hasOwn(ticket.answers, question));
}

/** The rule of the domain, written a second time and naively. */
function priorityOf({ incident_type: type, incident_version: version, answers }: Ticket): string {
  const definition = incidentType(type ?? '', version ?? 0);
  assert.ok(definition);
  const isNo = (question: string) => answers[question] === 'no';
  const start =
    definition.mitigated?.whenAllNo.every(isNo) === true
      ? definition.mitigated.to
      : definition.defaultPriority;
  const raised = definition.raises.filter((rule) => !rule.unlessNo.some(isNo)).map((rule) => rule.to);
  const all = [start, ...raised].map((priority) => PRIORITIES.indexOf(priority));
  return PRIORITIES[Math.max(...all)] ?? 'EMERGENCY';
}
