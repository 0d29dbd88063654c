import { after, before, change, type IncidentTypeDefinition } from './shape.ts';

export const CLOSER_LEAK_OR_SLAM: IncidentTypeDefinition = {
  type: 'CLOSER_LEAK_OR_SLAM',
  version: 1,
  defaultPriority: 'ROUTINE',
  safety: false,
  ask: [
    { question: 'hit_someone', required: true },
    { question: 'fire_or_exit_door', required: true },
  ],
  raises: [{ when: 'hit_someone', to: 'URGENT' }],
  mitigated: null,
  evidence: [before('closer_with_label'), change('found_condition'), after('closer')],
  tests: [{ key: 'closing_time', unit: 's', pass: { min: 3, max: 10 } }],
};
