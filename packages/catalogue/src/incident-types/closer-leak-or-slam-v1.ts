import { after, before, change, danger, measure, must } from './building-blocks.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const CLOSER_LEAK_OR_SLAM_V1: IncidentTypeDefinition = {
  type: 'CLOSER_LEAK_OR_SLAM',
  version: 1,
  defaultPriority: 'ROUTINE',
  safety: false,
  ask: [danger('hit_someone'), must('fire_or_exit_door')],
  raises: [{ unlessNo: ['hit_someone'], to: 'URGENT' }],
  mitigated: null,
  evidence: [before('closer_with_label'), change('found_condition'), after('closer')],
  tests: [measure('closing_time', 's', 3, 10)],
};
