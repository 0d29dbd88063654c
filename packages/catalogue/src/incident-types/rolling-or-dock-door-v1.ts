import { after, before, change, danger, must, passes } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const ROLLING_OR_DOCK_DOOR_V1: IncidentTypeDefinition = {
  type: 'ROLLING_OR_DOCK_DOOR',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [danger('jammed_open'), must('opening_size'), must('spring_or_cable_broken'), must('vehicle_trapped')],
  raises: [{ unlessNo: ['jammed_open'], to: 'EMERGENCY' }],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('curtain'),
    before('spring'),
    before('operator'),
    change('found_condition'),
    after('full_open'),
    after('full_closed'),
    ...AT_THE_END,
  ],
  tests: [passes('limits'), passes('photo_eye'), passes('manual_release')],
};
