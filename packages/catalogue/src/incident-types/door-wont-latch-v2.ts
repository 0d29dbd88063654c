import { danger, must } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import { DOOR_WONT_LATCH_V1 } from './door-wont-latch-v1.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/**
 * Adds what every visit leaves, and no visit is planned before it is known since when, and whether an exit is blocked:
 * silence about that makes an emergency of every draughty door.
 */
export const DOOR_WONT_LATCH_V2: IncidentTypeDefinition = {
  ...DOOR_WONT_LATCH_V1,
  version: 2,
  ask: [must('which_door'), must('since_when'), must('closes_by_itself'), danger('exit_blocked')],
  evidence: [...AT_ARRIVAL, ...DOOR_WONT_LATCH_V1.evidence, ...AT_THE_END],
};
