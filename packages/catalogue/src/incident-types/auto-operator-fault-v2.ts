import { AUTO_OPERATOR_FAULT_V1 } from './auto-operator-fault-v1.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** Automatic doors are adjusted by whoever learned it. @source ANSI/BHMA A156.10: inspected by a trained inspector */
export const AUTO_OPERATOR_FAULT_V2: IncidentTypeDefinition = {
  ...AUTO_OPERATOR_FAULT_V1,
  version: 2,
  work: { minutes: 120, skills: ['automatic_doors'], certifications: ['automatic_door_inspector'] },
};
