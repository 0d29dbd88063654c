import { ROLLING_OR_DOCK_DOOR_V1 } from './rolling-or-dock-door-v1.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** A spring under tension is nobody's first day, and takes three hours. */
export const ROLLING_OR_DOCK_DOOR_V2: IncidentTypeDefinition = {
  ...ROLLING_OR_DOCK_DOOR_V1,
  version: 2,
  work: { minutes: 180, skills: ['rolling_doors'], certifications: [] },
};
