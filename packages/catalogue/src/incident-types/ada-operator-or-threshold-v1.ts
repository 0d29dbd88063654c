import { after, before, change, measure, must, times } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const ADA_OPERATOR_OR_THRESHOLD_V1: IncidentTypeDefinition = {
  type: 'ADA_OPERATOR_OR_THRESHOLD',
  version: 1,
  defaultPriority: 'URGENT',
  safety: false,
  ask: [must('who_is_affected'), must('no_other_route')],
  raises: [],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('condition'),
    change('found_condition'),
    after('condition'),
    ...AT_THE_END,
  ],
  tests: [
    // 5 lbf. @source 2010 ADA Standards 404.2.9
    measure('ada_opening_force', 'N', 0, 22.2),
    times('actuators_of_2', 2),
    // 1/2 in. @source 2010 ADA Standards 404.2.5
    measure('threshold_height', 'mm', 0, 13),
  ],
};
