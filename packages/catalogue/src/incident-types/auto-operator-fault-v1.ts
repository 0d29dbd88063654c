import { after, before, change, danger, measure, times } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const AUTO_OPERATOR_FAULT_V1: IncidentTypeDefinition = {
  type: 'AUTO_OPERATOR_FAULT',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [
    danger('stuck_open_or_closed'),
    // A door that moves blocks nobody's only way in.
    danger('only_entrance_stuck', ['stuck_open_or_closed']),
  ],
  raises: [{ unlessNo: ['stuck_open_or_closed', 'only_entrance_stuck'], to: 'EMERGENCY' }],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('operator_label'),
    before('fault_code'),
    change('found_condition'),
    after('door_open'),
    after('door_closed'),
    ...AT_THE_END,
  ],
  tests: [
    // At least 1.5 s after the last detection. @source ANSI/BHMA A156.10
    measure('hold_open', 's', 1.5, 30),
    // Seconds that somebody stood still in the threshold and the door did not close.
    measure('threshold_stand_in', 's', 10, 60),
    times('operator_cycles_of_10', 10),
  ],
};
