import type { JsonValue } from '@deadlatch/kernel';

/**
 * What of an answer the agent is shown. `true`: the value as it is, which must be a plain value or a list of such;
 * an object: these members of it; a list of one object: these members of each item.
 */
export type Listed = true | { readonly [name: string]: Listed } | readonly [Listed];

/** What a command answers. No amount of money: an agent has no use for one. */
export const COMMAND_FIELDS: Listed = {
  ticket: { id: true, reference: true, state: true, version: true, priority: true },
  result: { ticket_id: true, message_id: true, suggestion_id: true, suggested: true, existing: true },
  tools: true,
  replayed: true,
};

export const CONVERSATION_FIELDS: Listed = {
  entries: [{ id: true, direction: true, mask_state: true, text: true, template: true, at: true }],
};

export const TICKET_FIELDS: Listed = {
  ticket: {
    reference: true,
    state: true,
    version: true,
    incident_type: true,
    incident_version: true,
    priority: true,
    safety: true,
    // Question to answer: both are closed sets of the catalogue.
    answers: true,
    missing: true,
  },
  // By which version a type that is new to the ticket is triaged.
  incident_types: true,
};

/** Which times are offered, and what the message of this turn chose. Who would come is not for the agent. */
export const SCHEDULE_FIELDS: Listed = {
  options: [{ id: true, number: true, window_from: true, window_to: true }],
  agreed: { number: true, window_from: true, window_to: true },
  choice: { id: true, kind: true, number: true, consumed: true },
};

/**
 * The listed members of an answer, and nothing else: whatever a peer adds in future stays here.
 * @invariant an object shows no member that was not listed by name, but for flat objects listed as a whole
 * @source T1.3, T5.6
 */
export function listedFields(value: JsonValue | undefined, listed: Listed): JsonValue {
  if (listed === true) return flat(value);
  if (isList(listed)) return Array.isArray(value) ? value.map((item) => listedFields(item, listed[0])) : [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.fromEntries(
    Object.entries(listed).flatMap(([name, inner]) =>
      Object.hasOwn(value, name) ? [[name, listedFields(value[name], inner)]] : [],
    ),
  );
}

/** A plain value, a list of plain values, or an object of plain values. Deeper things were never listed. */
function flat(value: JsonValue | undefined): JsonValue {
  const isPlain = (item: unknown) => item === null || typeof item !== 'object';
  if (value === undefined) return null;
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.filter(isPlain);
  return Object.fromEntries(Object.entries(value).filter(([, item]) => isPlain(item)));
}

function isList(listed: Listed): listed is readonly [Listed] {
  return Array.isArray(listed);
}
