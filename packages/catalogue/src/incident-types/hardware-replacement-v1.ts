import { after, before, change, must, passes, times } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const HARDWARE_REPLACEMENT_V1: IncidentTypeDefinition = {
  type: 'HARDWARE_REPLACEMENT',
  version: 1,
  defaultPriority: 'ROUTINE',
  safety: false,
  ask: [must('quote_number')],
  raises: [],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('failed_part'),
    before('failed_label'),
    change('found_condition'),
    after('installed'),
    after('installed_label'),
    // What was replaced has a part number on record; the serial number is on the label.
    ...AT_THE_END.map((rule) =>
      rule.key === 'record.closeout.parts'
        ? ({ ...rule, requiredWhen: { outcome: ['RESOLVED'] } } as const)
        : rule,
    ),
  ],
  tests: [times('function_x5', 5), passes('numbers_match_label')],
};
