import type { TSchema } from 'typebox';
import { AUTHORITY_COMMANDS } from './commands/authority.ts';
import { CLOSEOUT_COMMANDS } from './commands/closeout.ts';
import { CONVERSATION_COMMANDS } from './commands/conversation.ts';
import { CORRECT_COMMANDS } from './commands/correct.ts';
import { DESK_COMMANDS } from './commands/desk.ts';
import { DIRECTORY_COMMANDS } from './commands/directory.ts';
import { DISPUTE_COMMANDS } from './commands/dispute.ts';
import { FIELD_COMMANDS } from './commands/field.ts';
import { PUBLISH_COMMANDS } from './commands/publish.ts';
import { SCHEDULE_COMMANDS } from './commands/schedule.ts';
import { SUGGESTION_COMMANDS } from './commands/suggestion.ts';
import { TICKET_COMMANDS } from './commands/ticket.ts';
import type { CommandEntry } from './define.ts';

/** The command catalogue: one entry says everything about a command that is not logic. */
export const COMMANDS: readonly CommandEntry[] = [
  ...CONVERSATION_COMMANDS,
  ...DESK_COMMANDS,
  ...SUGGESTION_COMMANDS,
  ...TICKET_COMMANDS,
  ...CORRECT_COMMANDS,
  ...SCHEDULE_COMMANDS,
  ...FIELD_COMMANDS,
  ...CLOSEOUT_COMMANDS,
  ...DISPUTE_COMMANDS,
  ...DIRECTORY_COMMANDS,
  ...PUBLISH_COMMANDS,
  ...AUTHORITY_COMMANDS,
];

/** A Map, so that a tool named `constructor` finds nothing. */
const BY_NAME: ReadonlyMap<string, CommandEntry> = new Map(COMMANDS.map((c) => [c.name, c]));

export function findCommand(name: string): CommandEntry | undefined {
  return BY_NAME.get(name);
}

/** The path of a command, e.g. `/v1/tickets/:id/ticket.triage`; always POST. */
export function routeOf(entry: CommandEntry): string {
  return entry.target === 'none' ? `/v1/${entry.name}` : `/v1/${entry.target}s/:id/${entry.name}`;
}

/** The schema a caller's body must match; an agent's is narrower. */
export function inputSchema(entry: CommandEntry, isAgent: boolean): TSchema | null {
  return isAgent ? entry.agentInput : entry.input;
}
