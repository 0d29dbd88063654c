import { ALL_EDGES } from '@deadlatch/catalogue';
import { DispatchError, type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';
import { checkRequest, type TrailTrust } from './check-request.ts';
import type { AuditEvent } from './event.ts';

/** An object as it stands now, to be explained by the trail. */
export interface CurrentObject {
  readonly object: string;
  readonly id: string;
  readonly version: number;
  readonly state: string;
}

export interface TrailProblem {
  /** Position in the trail; null when something is missing from it. */
  readonly index: number | null;
  readonly eventId: string | null;
  readonly reason: string;
}

export interface TrailReport {
  readonly events: number;
  readonly signatures: number;
  readonly effects: number;
  readonly objects: number;
  readonly problems: readonly TrailProblem[];
}

const EDGES: ReadonlySet<string> = new Set(ALL_EDGES.map((e) => edgeKey(e.object, e.command, e.from, e.to)));

function edgeKey(object: string, command: string, from: string, to: string): string {
  return `${object} ${command} ${from} ${to}`;
}

/**
 * Checks a trail from its bytes and the pinned keys alone; it trusts nothing that the writer computed.
 *
 * Every event must be canonical; every command must be backed by a request that a pinned service signed and, where
 * there is a user, by a token that `identity` signed for exactly this actor, each used for one event; every effect
 * must be an edge of the catalogue that continues the object's last version; every current object must be the last
 * effect on it. What the signed request does not cover (the decision itself, details, policy ids) is the authority's
 * word; keeping that from being rewritten later is the Merkle log's part.
 * @param bodies stored event bytes, oldest first
 * @param trust public keys as the operator pinned them
 * @param current objects to be explained; empty to check the trail by itself
 * @invariant a report without problems means that each check ran on each event
 */
export function verifyTrail(
  bodies: readonly Uint8Array[],
  trust: TrailTrust,
  current: readonly CurrentObject[],
): TrailReport {
  const problems: TrailProblem[] = [];
  const last = new Map<string, { version: number; state: string }>();
  const seenIds = new Set<string>();
  const seenNonces = new Set<string>();
  let signatures = 0;
  let effects = 0;

  bodies.forEach((body, index) => {
    const found = (eventId: string | null, reason: string) => problems.push({ index, eventId, reason });
    const event = readEvent(body);
    if (typeof event === 'string') {
      found(null, event);
      return;
    }
    if (seenIds.has(event.id)) found(event.id, 'event id occurs twice');
    seenIds.add(event.id);
    if (event.origin === 'dispatch') {
      const reason = checkRequest(event, trust, seenNonces);
      if (reason) found(event.id, reason);
      else signatures += 1;
    }
    if (event.decision === 'refused' && event.effects.length > 0) found(event.id, 'a refusal has effects');
    for (const effect of event.effects) {
      effects += 1;
      const reason = continueObject(event, effect, last);
      if (reason) found(event.id, reason);
    }
  });

  for (const object of current) {
    const known = last.get(`${object.object} ${object.id}`);
    if (known?.version !== object.version || known.state !== object.state) {
      problems.push({
        index: null,
        eventId: null,
        reason: `${object.object} ${object.id} is at version ${object.version} in ${object.state}, which no event explains`,
      });
    }
  }
  return { events: bodies.length, signatures, effects, objects: current.length, problems };
}

/** The event, or the reason why these bytes are none. */
function readEvent(body: Uint8Array): AuditEvent | string {
  let value: JsonValue;
  try {
    value = parseStrictJson(body);
  } catch (error) {
    if (error instanceof DispatchError) return `not strict JSON: ${error.detail ?? error.code}`;
    throw error;
  }
  if (canonicalJson(value) !== new TextDecoder().decode(body)) return 'not in canonical form';
  const event = value as unknown as AuditEvent;
  const whole =
    event?.v === 1 &&
    typeof event.id === 'string' &&
    typeof event.command === 'string' &&
    typeof event.origin === 'string' &&
    Array.isArray(event.effects) &&
    typeof event.request === 'object';
  return whole ? event : 'not an audit event of a known version';
}

function continueObject(
  event: AuditEvent,
  effect: AuditEvent['effects'][number],
  last: Map<string, { version: number; state: string }>,
): string | undefined {
  const id = `${effect.object} ${effect.id}`;
  const before = last.get(id) ?? { version: 0, state: '-' };
  last.set(id, { version: effect.version, state: effect.after_state });
  if (effect.version !== before.version + 1)
    return `${id}: version ${effect.version} follows ${before.version}`;
  if (effect.before_state !== before.state)
    return `${id}: comes from ${effect.before_state}, but was ${before.state}`;
  const edge = edgeKey(effect.object, event.command, effect.before_state, effect.after_state);
  return EDGES.has(edge) ? undefined : `${id}: no such edge: ${edge}`;
}
