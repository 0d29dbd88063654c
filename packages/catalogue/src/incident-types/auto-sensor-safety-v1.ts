import { after, before, change, danger, measure, safely, times } from './building-blocks.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition, TestRule } from './shape.ts';

/** A sensor that still fails may be left so only with the door out of service, and never as resolved. */
const orOutOfService = (test: TestRule): TestRule => ({
  ...test,
  mustPassWhen: { outcome: ['RESOLVED', 'NO_FAULT', 'NO_ACCESS'] },
});

export const AUTO_SENSOR_SAFETY_V1: IncidentTypeDefinition = {
  type: 'AUTO_SENSOR_SAFETY',
  version: 1,
  defaultPriority: 'URGENT',
  safety: true,
  ask: [danger('hit_someone'), danger('cannot_switch_off')],
  raises: [
    { unlessNo: ['hit_someone'], to: 'EMERGENCY' },
    // A door that nobody can take out of service goes on touching people.
    { unlessNo: ['cannot_switch_off'], to: 'EMERGENCY' },
  ],
  mitigated: null,
  evidence: [
    ...AT_ARRIVAL,
    before('sensors'),
    before('floor_zone'),
    change('found_condition'),
    after('decals'),
    safely({
      ...after('door_off_and_posted'),
      requiredWhen: { anyOf: [{ failed: 'detection_walk_of_3' }, { failed: 'presence' }] },
    }),
    ...AT_THE_END,
  ],
  tests: [
    // Walked at from the middle and from both sides.
    orOutOfService(times('detection_walk_of_3', 3)),
    // Seconds that somebody stood still in the doorway and the door did not close.
    orOutOfService(measure('presence', 's', 10, 60)),
  ],
};
