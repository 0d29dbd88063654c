import { ACCESS_CONTROL_STRIKE_V1 } from './access-control-strike-v1.ts';
import { ADA_OPERATOR_OR_THRESHOLD_V1 } from './ada-operator-or-threshold-v1.ts';
import { AUTO_OPERATOR_FAULT_V1 } from './auto-operator-fault-v1.ts';
import { AUTO_OPERATOR_FAULT_V2 } from './auto-operator-fault-v2.ts';
import { AUTO_SENSOR_SAFETY_V1 } from './auto-sensor-safety-v1.ts';
import { AUTO_SENSOR_SAFETY_V2 } from './auto-sensor-safety-v2.ts';
import { CLOSER_LEAK_OR_SLAM_V1 } from './closer-leak-or-slam-v1.ts';
import { CLOSER_LEAK_OR_SLAM_V2 } from './closer-leak-or-slam-v2.ts';
import { DOOR_CANNOT_SECURE_V1 } from './door-cannot-secure-v1.ts';
import { DOOR_CANNOT_SECURE_V2 } from './door-cannot-secure-v2.ts';
import { DOOR_WONT_LATCH_V1 } from './door-wont-latch-v1.ts';
import { DOOR_WONT_LATCH_V2 } from './door-wont-latch-v2.ts';
import { EGRESS_OR_PANIC_HARDWARE_V1 } from './egress-or-panic-hardware-v1.ts';
import { FIRE_DOOR_DEFICIENCY_V1 } from './fire-door-deficiency-v1.ts';
import { FIRE_DOOR_DEFICIENCY_V2 } from './fire-door-deficiency-v2.ts';
import { GLASS_OR_FRAME_DAMAGE_V1 } from './glass-or-frame-damage-v1.ts';
import { HARDWARE_REPLACEMENT_V1 } from './hardware-replacement-v1.ts';
import { ROLLING_OR_DOCK_DOOR_V1 } from './rolling-or-dock-door-v1.ts';
import { ROLLING_OR_DOCK_DOOR_V2 } from './rolling-or-dock-door-v2.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** What is not in this list does not exist (C.8). */
export const INCIDENT_TYPES = [
  'DOOR_CANNOT_SECURE',
  'DOOR_WONT_LATCH',
  'CLOSER_LEAK_OR_SLAM',
  'AUTO_OPERATOR_FAULT',
  'AUTO_SENSOR_SAFETY',
  'GLASS_OR_FRAME_DAMAGE',
  'EGRESS_OR_PANIC_HARDWARE',
  'FIRE_DOOR_DEFICIENCY',
  'ROLLING_OR_DOCK_DOOR',
  'ACCESS_CONTROL_STRIKE',
  'HARDWARE_REPLACEMENT',
  'ADA_OPERATOR_OR_THRESHOLD',
] as const;
export type IncidentType = (typeof INCIDENT_TYPES)[number];

/**
 * Every version that was ever released, one file each. Another version is a file and a line here, and is in force where
 * and when an admin publishes it; what was released stays, because tickets were triaged by it.
 */
export const INCIDENT_DEFINITIONS: readonly IncidentTypeDefinition[] = [
  DOOR_CANNOT_SECURE_V1,
  DOOR_CANNOT_SECURE_V2,
  DOOR_WONT_LATCH_V1,
  DOOR_WONT_LATCH_V2,
  CLOSER_LEAK_OR_SLAM_V1,
  CLOSER_LEAK_OR_SLAM_V2,
  AUTO_OPERATOR_FAULT_V1,
  AUTO_OPERATOR_FAULT_V2,
  AUTO_SENSOR_SAFETY_V1,
  AUTO_SENSOR_SAFETY_V2,
  GLASS_OR_FRAME_DAMAGE_V1,
  EGRESS_OR_PANIC_HARDWARE_V1,
  FIRE_DOOR_DEFICIENCY_V1,
  FIRE_DOOR_DEFICIENCY_V2,
  ROLLING_OR_DOCK_DOOR_V1,
  ROLLING_OR_DOCK_DOOR_V2,
  ACCESS_CONTROL_STRIKE_V1,
  HARDWARE_REPLACEMENT_V1,
  ADA_OPERATOR_OR_THRESHOLD_V1,
];

const BY_TYPE: ReadonlyMap<string, ReadonlyMap<number, IncidentTypeDefinition>> = new Map(
  INCIDENT_TYPES.map((type) => [
    type,
    new Map(INCIDENT_DEFINITIONS.filter((d) => d.type === type).map((d) => [d.version, d])),
  ]),
);

/**
 * The definition by which a ticket was triaged.
 * @returns `undefined` for a type or a version that is not in the catalogue; never another version instead
 */
export function incidentType(type: string, version: number): IncidentTypeDefinition | undefined {
  return BY_TYPE.get(type)?.get(version);
}

const EVIDENCE = INCIDENT_DEFINITIONS.flatMap((d) => d.evidence);

/** Every evidence key of every version. */
export const EVIDENCE_KEYS: readonly string[] = [...new Set(EVIDENCE.map((e) => e.key))];

/** Those that are uploaded: the closed set that `evidence.presign` accepts. */
export const PHOTO_KEYS: readonly string[] = [
  ...new Set(EVIDENCE.filter((e) => e.kind === 'photo').map((e) => e.key)),
];

export const TEST_KEYS: readonly string[] = [
  ...new Set(INCIDENT_DEFINITIONS.flatMap((d) => d.tests.map((t) => t.key))),
];
