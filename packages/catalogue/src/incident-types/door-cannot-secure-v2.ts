import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import { DOOR_CANNOT_SECURE_V1 } from './door-cannot-secure-v1.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** Adds what every visit leaves. */
export const DOOR_CANNOT_SECURE_V2: IncidentTypeDefinition = {
  ...DOOR_CANNOT_SECURE_V1,
  version: 2,
  evidence: [...AT_ARRIVAL, ...DOOR_CANNOT_SECURE_V1.evidence, ...AT_THE_END],
};
