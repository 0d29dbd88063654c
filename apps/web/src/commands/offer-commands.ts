import {
  CEILINGS,
  COMMANDS,
  type CommandEntry,
  INCIDENT_DEFINITIONS,
  PERSON_ROLES,
  sourceOf,
  ticketSources,
} from '@deadlatch/catalogue';
import type { JsonValue } from '@deadlatch/kernel';

/** Longest free text a form takes, in UTF-16 units. */
export const MAX_TEXT_LENGTH = 4_000;

/** The command, if a signed-in person may ever send it through web; what only agents or services hold is not. */
export function offeredCommand(name: string): CommandEntry | undefined {
  return OFFERED.get(name);
}

const PEOPLE: ReadonlySet<string> = new Set(PERSON_ROLES);
/** A Map, so that a command named `constructor` finds nothing. */
const OFFERED: ReadonlyMap<string, CommandEntry> = new Map(
  COMMANDS.filter((entry) => entry.who.some((grant) => PEOPLE.has(grant.role)))
    .filter((entry) => !CEILINGS.web.except.includes(entry.name))
    .map((entry) => [entry.name, entry]),
);

/** What the console draws its forms from: the catalogue itself, with words where the gate takes handles. */
export function describeCatalogue(): JsonValue {
  return {
    commands: [...OFFERED.values()].map((entry) => ({
      name: entry.name,
      summary: entry.summary,
      target: entry.target,
      from: entry.target === 'ticket' ? [...ticketSources(entry.name)] : [],
      roles: [...new Set(entry.who.map((grant) => grant.role))].filter((role) => PEOPLE.has(role)),
      input: withWords(entry.input),
    })),
    incident_types: INCIDENT_DEFINITIONS.map((type) => ({
      type: type.type,
      version: type.version,
      ask: type.ask.map(({ question, required, unlessNo }) => ({
        question,
        required,
        unless_no: [...unlessNo],
      })),
      evidence: type.evidence.map(({ key, kind }) => ({ key, kind })),
      tests: type.tests.map(({ key, unit }) => ({ key, unit })),
    })),
  };
}

/** A field is free text because the catalogue's schema says so (`x-source`), never because of a list kept here. */
function withWords(schema: unknown): JsonValue {
  if (Array.isArray(schema)) return schema.map(withWords);
  if (typeof schema !== 'object' || schema === null) return schema as JsonValue;
  if (sourceOf(schema) === 'free_text') {
    return {
      type: 'object',
      required: ['text'],
      properties: { text: { type: 'string', minLength: 1, maxLength: MAX_TEXT_LENGTH } },
      'x-source': 'free_text',
    };
  }
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withWords(value)]));
}
