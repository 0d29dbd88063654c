import { after, before, change, danger, must, passes } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const ACCESS_CONTROL_STRIKE_V1: IncidentTypeDefinition = {
  type: 'ACCESS_CONTROL_STRIKE',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [danger('cannot_lock_anything'), danger('exit_blocked'), must('reader_light'), must('who_can_enter')],
  raises: [
    { unlessNo: ['cannot_lock_anything'], to: 'EMERGENCY' },
    { unlessNo: ['exit_blocked'], to: 'EMERGENCY' },
  ],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('strike'),
    before('reader'),
    change('found_condition'),
    after('strike'),
    after('reader'),
    ...AT_THE_END,
  ],
  tests: [passes('grant'), passes('deny'), passes('request_to_exit'), passes('power_fail')],
};
