import { CLOSER_LEAK_OR_SLAM } from './closer-leak-or-slam.ts';
import { DOOR_CANNOT_SECURE } from './door-cannot-secure.ts';
import { DOOR_WONT_LATCH } from './door-wont-latch.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** One file per type; what is not in this list does not exist (C.8). */
export const INCIDENT_TYPES = ['DOOR_CANNOT_SECURE', 'DOOR_WONT_LATCH', 'CLOSER_LEAK_OR_SLAM'] as const;
export type IncidentType = (typeof INCIDENT_TYPES)[number];

const BY_TYPE: ReadonlyMap<string, IncidentTypeDefinition> = new Map(
  [DOOR_CANNOT_SECURE, DOOR_WONT_LATCH, CLOSER_LEAK_OR_SLAM].map((d) => [d.type, d]),
);

/** The definition of a type, or `undefined` for a name that is not in the catalogue. */
export function incidentType(type: string): IncidentTypeDefinition | undefined {
  return BY_TYPE.get(type);
}

/** Every evidence key of every type: the closed set that `evidence.presign` accepts. */
export const EVIDENCE_KEYS: readonly string[] = [
  ...new Set([...BY_TYPE.values()].flatMap((d) => d.evidence.map((e) => e.key))),
];

export const TEST_KEYS: readonly string[] = [
  ...new Set([...BY_TYPE.values()].flatMap((d) => d.tests.map((t) => t.key))),
];
