import { after, before, change, type IncidentTypeDefinition } from './shape.ts';

export const DOOR_WONT_LATCH: IncidentTypeDefinition = {
  type: 'DOOR_WONT_LATCH',
  version: 1,
  defaultPriority: 'URGENT',
  safety: false,
  ask: [
    { question: 'which_door', required: true },
    { question: 'since_when', required: false },
    { question: 'closes_by_itself', required: true },
    // Decides the priority, so it is asked, but an intake is complete without it.
    { question: 'exit_blocked', required: false },
  ],
  raises: [{ when: 'exit_blocked', to: 'EMERGENCY' }],
  mitigated: null,
  evidence: [before('edge_and_strike'), change('found_condition'), after('latched'), after('gap_visible')],
  tests: [
    { key: 'latch_cycles_of_10', unit: 'count', pass: { min: 10, max: 10 } },
    { key: 'gap', unit: 'mm', pass: { min: 0, max: 6 } },
  ],
};
