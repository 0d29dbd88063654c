import { after, before, change, danger, measure, must, times } from './building-blocks.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const DOOR_WONT_LATCH_V1: IncidentTypeDefinition = {
  type: 'DOOR_WONT_LATCH',
  version: 1,
  defaultPriority: 'URGENT',
  safety: false,
  ask: [
    must('which_door'),
    { ...must('since_when'), required: false },
    must('closes_by_itself'),
    // Decides the priority, so it is asked, but an intake is complete without it.
    { ...danger('exit_blocked'), required: false },
  ],
  raises: [{ unlessNo: ['exit_blocked'], to: 'EMERGENCY' }],
  mitigated: null,
  evidence: [before('edge_and_strike'), change('found_condition'), after('latched'), after('gap_visible')],
  tests: [times('latch_cycles_of_10', 10), measure('gap', 'mm', 0, 6)],
};
