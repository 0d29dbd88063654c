import { checkRequest } from './check-request.ts';
import { checkServiceAct } from './check-service-act.ts';
import type { DirectoryRow } from './directory.ts';
import type { AuditEvent } from './event.ts';
import { checkOperatorEvent } from './operator-event.ts';
import { readEvent } from './read-event.ts';
import { type CurrentObject, createTrailState } from './trail-state.ts';
import { type ReadTrust, readTrust, type TrailTrust } from './trail-trust.ts';

export interface TrailProblem {
  /** Position in the trail, which is the log index where the trail is a log; null when something is missing from it. */
  readonly index: number | null;
  readonly eventId: string | null;
  readonly reason: string;
}

export interface TrailReport {
  readonly events: number;
  /** Events that a signature backs: of a service's request, or of the operator. */
  readonly signatures: number;
  /** Events of identity and vault that no service asked for. */
  readonly unasked: number;
  readonly effects: number;
  /** Objects and rows of authority that were held against the trail. */
  readonly objects: number;
  readonly rows: number;
  readonly problems: readonly TrailProblem[];
}

/** A verification that takes one thing after the other, so that nobody has to hold them all. */
export interface TrailCheck {
  /**
   * @param body stored event bytes, oldest first
   * @param index its place in the log; how many came before it unless told; null when it has none yet
   */
  event(body: Uint8Array, index?: number | null): void;
  /** An object as it stands now, after the last event. */
  object(current: CurrentObject): void;
  /** A row of authority as it stands now, after the last event. */
  row(current: DirectoryRow): void;
  /** @param isStateShown every object and row there is was shown, so that a missing one is found */
  finish(isStateShown: boolean): TrailReport;
}

/** What stands in the database, to be explained by the trail. None of it is trusted. */
export interface CurrentState {
  readonly objects: Iterable<CurrentObject>;
  readonly directory: Iterable<DirectoryRow>;
}

export interface TrailCheckOptions {
  /** Some events of a trail and not all: then nothing can be said of what they build on. */
  readonly isExcerpt?: boolean;
}

/** @see verifyTrail */
export function createTrailCheck(
  trust: TrailTrust,
  { isExcerpt = false }: TrailCheckOptions = {},
): TrailCheck {
  const problems: TrailProblem[] = [];
  const read = readTrust(trust);
  const state = createTrailState();
  const seenIds = new Set<string>();
  const seenNonces = new Set<string>();
  const count = { events: 0, signatures: 0, unasked: 0, effects: 0, objects: 0, rows: 0 };
  const unexplained = (reason: string | undefined) => {
    if (reason !== undefined) problems.push({ index: null, eventId: null, reason });
  };
  return {
    event: (body, index = count.events) => {
      count.events += 1;
      const event = readEvent(body);
      if (typeof event === 'string') {
        problems.push({ index, eventId: null, reason: event });
        return;
      }
      const found = (reason: string) => problems.push({ index, eventId: event.id, reason });
      if (event.environment !== trust.environment) found('an event of another environment');
      if (seenIds.has(event.id)) found('event id occurs twice');
      seenIds.add(event.id);
      const backing = backingOf(event, read, seenNonces);
      if (typeof backing === 'object') found(backing.reason);
      else count[backing] += 1;
      if (event.decision === 'refused' && event.effects.length > 0) found('a refusal has effects');
      count.effects += event.effects.length;
      if (!isExcerpt) state.apply(event).forEach(found);
    },
    object: (current) => {
      count.objects += 1;
      unexplained(state.explainObject(current));
    },
    row: (current) => {
      count.rows += 1;
      unexplained(state.explainRow(current));
    },
    finish: (isStateShown) => {
      if (isStateShown) state.missing().forEach(unexplained);
      return { ...count, problems };
    },
  };
}

/**
 * Checks a trail from its bytes and the pinned keys alone; it trusts nothing that the writer computed.
 *
 * Every event must be canonical. Every command must be backed by a request that a pinned service signed and, where
 * there is a user, by a token that `identity` signed for exactly this actor, each used for one event; every act of
 * `identity` and `vault` that a service asked for by such a request; every act of the operator by the operator's own
 * signature. Every effect must be an edge of the catalogue that continues the object's last version, every current
 * object must be the last effect on it, and every row of authority must be the one that the last event about it
 * states. What the signed request does not cover (the decision itself, details, policy ids) is the authority's word;
 * keeping that from being rewritten later is the Merkle log's part.
 * @param bodies stored event bytes, oldest first
 * @param trust public keys as the operator pinned them
 * @param current what stands now, to be explained; null to check the trail by itself
 * @invariant a report without problems means that each check ran on each event
 * @source F.1, F.4
 */
export function verifyTrail(
  bodies: Iterable<Uint8Array>,
  trust: TrailTrust,
  current: CurrentState | null,
): TrailReport {
  const check = createTrailCheck(trust);
  for (const body of bodies) check.event(body);
  for (const object of current?.objects ?? []) check.object(object);
  for (const row of current?.directory ?? []) check.row(row);
  return check.finish(current !== null);
}

function backingOf(
  event: AuditEvent,
  trust: ReadTrust,
  seenNonces: Set<string>,
): 'signatures' | 'unasked' | { readonly reason: string } {
  if (event.origin === 'identity' || event.origin === 'vault') {
    const act = checkServiceAct(event, event.origin, trust, seenNonces);
    if (typeof act === 'object') return act;
    return act === 'signed' ? 'signatures' : 'unasked';
  }
  const reason =
    event.origin === 'dispatch'
      ? checkRequest(event, trust, seenNonces)
      : event.origin === 'operator'
        ? checkOperatorEvent(event, trust)
        : 'an event of unknown origin';
  return reason === undefined ? 'signatures' : { reason };
}
