import { type CommandEntry, command, staff } from '../define.ts';
import { choice, instant, integer, object, optional } from '../fields.ts';
import { INCIDENT_TYPES } from '../incident-types/catalogue.ts';
import { MESSAGE_TEMPLATES } from '../messages.ts';
import { MAX_CONTENT_VERSION } from '../publications.ts';

const version = () => integer(1, MAX_CONTENT_VERSION);

/**
 * Brings into force what a release brought. There is no field for a sentence, a question or a rule: what can be
 * published was reviewed and tested with the code that reads it.
 */
export const PUBLISH_COMMANDS: readonly CommandEntry[] = [
  command('incident_type.publish', {
    summary: 'Brings a version of an incident type into force, for tickets that are triaged from then on.',
    target: 'none',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      type: choice(INCIDENT_TYPES),
      version: version(),
      /** Absent: now. */
      effective_at: optional(instant()),
    }),
    needs: ['publications'],
  }),
  command('template.publish', {
    summary: 'Brings a version of a message template into force, for messages that are written from then on.',
    target: 'none',
    who: staff('admin'),
    proof: 'L1',
    input: object({
      template: choice(MESSAGE_TEMPLATES),
      version: version(),
      effective_at: optional(instant()),
    }),
    needs: ['publications'],
  }),
];
