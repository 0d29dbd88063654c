import { FIRE_DOOR_DEFICIENCY_V1 } from './fire-door-deficiency-v1.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** Fire doors are put right by a qualified person. @source NFPA 80 section 5.2 */
export const FIRE_DOOR_DEFICIENCY_V2: IncidentTypeDefinition = {
  ...FIRE_DOOR_DEFICIENCY_V1,
  version: 2,
  work: { minutes: 120, skills: [], certifications: ['fire_door_inspector'] },
};
