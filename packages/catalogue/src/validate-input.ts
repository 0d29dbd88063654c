import { Compile } from 'typebox/compile';
import { COMMANDS, inputSchema } from './commands.ts';
import type { CommandEntry } from './define.ts';

/**
 * JSON pointers of what is wrong with a body, never its values; empty when it matches.
 * An entry without a schema for this kind of caller matches nothing.
 */
export type InputValidator = (entry: CommandEntry, isAgent: boolean, value: unknown) => readonly string[];

const MAX_POINTERS = 20;

/**
 * Compiles every schema of the catalogue once. Nothing is coerced, removed or defaulted; unknown fields are
 * refused by the schemas themselves (`additionalProperties: false`).
 * @invariant an agent's body is checked against `agentInput` only, never against the wider one
 */
export function createInputValidator(): InputValidator {
  const people = new Map<string, ReturnType<typeof Compile>>();
  const agents = new Map<string, ReturnType<typeof Compile>>();
  for (const entry of COMMANDS) {
    people.set(entry.name, Compile(entry.input));
    const narrow = inputSchema(entry, true);
    if (narrow !== null) agents.set(entry.name, Compile(narrow));
  }
  return (entry, isAgent, value) => {
    const validator = (isAgent ? agents : people).get(entry.name);
    if (validator === undefined) return ['/'];
    if (validator.Check(value)) return [];
    const pointers = validator.Errors(value).map((e) => (e.instancePath === '' ? '/' : e.instancePath));
    return pointers.length === 0 ? ['/'] : [...new Set(pointers)].slice(0, MAX_POINTERS);
  };
}
