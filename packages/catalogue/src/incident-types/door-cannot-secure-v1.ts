import { after, before, change, danger, passes, safely, times } from './building-blocks.ts';
import type { IncidentTypeDefinition } from './shape.ts';

export const DOOR_CANNOT_SECURE_V1: IncidentTypeDefinition = {
  type: 'DOOR_CANNOT_SECURE',
  version: 1,
  defaultPriority: 'EMERGENCY',
  safety: true,
  ask: [danger('cannot_lock_anything'), danger('open_to_public'), danger('anyone_hurt')],
  raises: [
    { unlessNo: ['cannot_lock_anything'], to: 'EMERGENCY' },
    { unlessNo: ['anyone_hurt'], to: 'EMERGENCY' },
  ],
  mitigated: { whenAllNo: ['cannot_lock_anything', 'open_to_public', 'anyone_hurt'], to: 'URGENT' },
  evidence: [
    before('opening'),
    before('failed_lock'),
    change('found_condition'),
    safely(after('secured_outside')),
    safely(after('secured_inside')),
  ],
  tests: [times('lock_unlock_x5', 5), passes('egress_opens')],
};
