import { after, before, change, danger, measure, must, safely } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const GLASS_OR_FRAME_DAMAGE_V1: IncidentTypeDefinition = {
  type: 'GLASS_OR_FRAME_DAMAGE',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [danger('open_to_street'), danger('people_near'), danger('not_safety_glass'), must('opening_size')],
  raises: [
    { unlessNo: ['open_to_street'], to: 'EMERGENCY' },
    // Ordinary glass falls in blades.
    { unlessNo: ['people_near', 'not_safety_glass'], to: 'EMERGENCY' },
  ],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('damage'),
    change('found_condition'),
    safely(after('board_up_or_glass')),
    // Boards carry no label; glass that stays does.
    { ...after('glass_label'), requiredWhen: { outcome: ['RESOLVED'] } },
    ...AT_THE_END,
  ],
  tests: [measure('opening_width', 'mm', 50, 10_000), measure('opening_height', 'mm', 50, 10_000)],
};
