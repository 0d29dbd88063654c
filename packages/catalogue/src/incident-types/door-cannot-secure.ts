import { after, before, change, type IncidentTypeDefinition } from './shape.ts';

export const DOOR_CANNOT_SECURE: IncidentTypeDefinition = {
  type: 'DOOR_CANNOT_SECURE',
  version: 1,
  defaultPriority: 'EMERGENCY',
  safety: true,
  ask: [
    { question: 'cannot_lock_anything', required: true },
    { question: 'open_to_public', required: true },
    { question: 'anyone_hurt', required: true },
  ],
  raises: [
    { when: 'cannot_lock_anything', to: 'EMERGENCY' },
    { when: 'anyone_hurt', to: 'EMERGENCY' },
  ],
  mitigated: { whenAllNo: ['cannot_lock_anything', 'open_to_public', 'anyone_hurt'], to: 'URGENT' },
  evidence: [
    before('opening'),
    before('failed_lock'),
    change('found_condition'),
    after('secured_outside'),
    after('secured_inside'),
  ],
  tests: [
    { key: 'lock_unlock_x5', unit: 'count', pass: { min: 5, max: 5 } },
    { key: 'egress_opens', unit: 'none', pass: null },
  ],
};
