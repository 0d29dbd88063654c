import { verify } from 'node:crypto';
import { ALL_EDGES, CEILINGS, COMMANDS, SERVICES, type ServiceName } from '@deadlatch/catalogue';
import { DispatchError, type JsonValue, parseStrictJson } from '@deadlatch/kernel';
import { canonicalJson, publicKeyFromX } from '@deadlatch/signing';
import type { AuditEvent } from './event.ts';

/** A service key as the operator pinned it. Times are RFC 3339. */
export interface TrustedKey {
  readonly keyid: string;
  readonly service: string;
  readonly x: string;
  readonly from: string;
  readonly until: string;
}

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
 * Every event must be canonical; every accepted or refused command must carry a signature of a pinned key over
 * exactly this command, path and idempotency key, under the signer's ceiling; every effect must be an edge of the
 * catalogue that continues the object's last version; every current object must be the last effect on it.
 * @param bodies stored event bytes, oldest first
 * @param keys service keys by thumbprint
 * @param current objects to be explained; empty to check the trail by itself
 * @invariant a report without problems means that each check ran on each event
 */
export function verifyTrail(
  bodies: readonly Uint8Array[],
  keys: readonly TrustedKey[],
  current: readonly CurrentObject[],
): TrailReport {
  const problems: TrailProblem[] = [];
  const keyring = new Map(keys.map((k) => [k.keyid, k]));
  const last = new Map<string, { version: number; state: string }>();
  const seenIds = new Set<string>();
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
      const reason = checkSignature(event, keyring);
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

/** Why the request behind this event does not count as signed, or undefined when it does. */
function checkSignature(event: AuditEvent, keyring: ReadonlyMap<string, TrustedKey>): string | undefined {
  const { request } = event;
  const key = keyring.get(request.key_id);
  if (!key) return 'signed by a key that is not pinned';
  if (!(key.from <= event.time && event.time <= key.until)) return 'signed by a key outside its time';
  const signer = SERVICES.find((s) => s === key.service);
  if (!signer) return 'signed by an unknown service';
  if (event.decision === 'accepted' && !underCeiling(signer, event.command))
    return 'beyond the ceiling of its signer';
  const genuine = verify(
    null,
    Buffer.from(request.signature_base),
    publicKeyFromX(key.x),
    Buffer.from(request.signature, 'base64'),
  );
  if (!genuine) return 'the request signature does not verify';
  const line = (name: string) =>
    request.signature_base
      .split('\n')
      .find((l) => l.startsWith(`"${name}": `))
      ?.slice(name.length + 4);
  // An unknown command is refused and recorded under the path it was sent to.
  if (event.decision === 'accepted') {
    const path = line('@path') ?? '';
    if (path.split('/').at(-1) !== event.command) return 'the signature covers another command';
    if (
      event.resource &&
      path.startsWith(`/v1/${event.resource.kind}s/`) &&
      !path.includes(event.resource.id)
    ) {
      return 'the signature covers another resource';
    }
    if (line('idempotency-key') !== request.idempotency_key)
      return 'the signature covers another idempotency key';
  }
  return undefined;
}

function underCeiling(service: ServiceName, name: string): boolean {
  const ceiling = CEILINGS[service];
  const entry = COMMANDS.find((c) => c.name === name);
  if (!entry || ceiling.except.includes(name)) return false;
  if (ceiling.commands === 'agent-pairs') return entry.agents.length > 0;
  if (ceiling.commands === 'person-roles') return entry.who.length > 0;
  return ceiling.commands.includes(name);
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
