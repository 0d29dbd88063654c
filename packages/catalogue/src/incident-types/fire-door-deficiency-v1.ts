import { after, before, change, measure, must, passes } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

const IF_LABELLED = { notNo: 'label_present' } as const;

export const FIRE_DOOR_DEFICIENCY_V1: IncidentTypeDefinition = {
  type: 'FIRE_DOOR_DEFICIENCY',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [must('deficiency_report'), must('label_present')],
  raises: [],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    { ...before('label'), requiredWhen: IF_LABELLED, visibleWhen: IF_LABELLED },
    before('deficiency'),
    change('found_condition'),
    after('corrected'),
    ...AT_THE_END,
  ],
  tests: [
    // 1/8 in, and 1/16 in more for steel, at the top and the sides; 3/4 in below. @source NFPA 80 (2022) 6.3.1
    measure('clearance_sides', 'mm', 0, 4.8),
    measure('clearance_bottom', 'mm', 0, 19),
    passes('self_closes_and_latches'),
  ],
};
