import { measure } from './building-blocks.ts';
import { CLOSER_LEAK_OR_SLAM_V1 } from './closer-leak-or-slam-v1.ts';
import { AT_ARRIVAL, AT_THE_END } from './common-evidence.ts';
import type { IncidentTypeDefinition } from './shape.ts';

/** Adds what every visit leaves, and the two figures without which a closer is not adjusted. */
export const CLOSER_LEAK_OR_SLAM_V2: IncidentTypeDefinition = {
  ...CLOSER_LEAK_OR_SLAM_V1,
  version: 2,
  evidence: [...AT_ARRIVAL, ...CLOSER_LEAK_OR_SLAM_V1.evidence, ...AT_THE_END],
  tests: [
    // From 90 degrees to 12 degrees; at least 5 s. @source 2010 ADA Standards 404.2.8.1
    measure('closing_time', 's', 5, 10),
    // The last 12 degrees, which decide between latching and slamming.
    measure('latch_time', 's', 1, 4),
    // At most 15 lbf to release and to swing fully open. @source NFPA 101 7.2.1.4.5
    measure('opening_force', 'N', 0, 67),
  ],
};
