import { before } from './building-blocks.ts';
import type { EvidenceRule } from './shape.ts';

const closeout = (kind: EvidenceRule['kind'], name: string): EvidenceRule => ({
  key: `${kind}.closeout.${name}`,
  kind,
  phase: 'closeout',
  minimum: 1,
  requiredWhen: 'always',
  visibleWhen: 'always',
  waivableBy: null,
  shownToCustomer: false,
});

/** What every visit leaves, whatever was wrong: that somebody came, what they saw, and who says that it is done. */
export const AT_ARRIVAL: readonly EvidenceRule[] = [
  {
    ...closeout('record', 'check_in'),
    key: 'record.before.check_in',
    phase: 'before',
    shownToCustomer: true,
  },
  before('site_overview'),
];

/** The signature may be a reason with the name of who was asked; parts count only where they were used. */
export const AT_THE_END: readonly EvidenceRule[] = [
  { ...closeout('note', 'found_done_left'), shownToCustomer: true },
  { ...closeout('record', 'time'), waivableBy: 'supervisor' },
  { ...closeout('record', 'parts'), requiredWhen: 'never' },
  closeout('signature', 'signature_or_reason'),
];
