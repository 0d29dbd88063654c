import { after, before, change, danger, must, safely, times } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const EGRESS_OR_PANIC_HARDWARE_V1: IncidentTypeDefinition = {
  type: 'EGRESS_OR_PANIC_HARDWARE',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [danger('exit_blocked'), must('required_exit'), must('occupied_now')],
  raises: [{ unlessNo: ['exit_blocked'], to: 'EMERGENCY' }],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('device'),
    before('blocked_state'),
    change('found_condition'),
    safely(after('released')),
    ...AT_THE_END,
  ],
  tests: [times('push_release_x5', 5), times('relatch_x5', 5)],
};
