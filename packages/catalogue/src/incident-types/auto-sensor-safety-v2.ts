import { AUTO_SENSOR_SAFETY_V1 } from './auto-sensor-safety-v1.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** As for the operator: a safety zone is set by a trained inspector. @source ANSI/BHMA A156.10 */
export const AUTO_SENSOR_SAFETY_V2: IncidentTypeDefinition = {
  ...AUTO_SENSOR_SAFETY_V1,
  version: 2,
  work: { minutes: 120, skills: ['automatic_doors'], certifications: ['automatic_door_inspector'] },
};
