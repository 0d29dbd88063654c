import { type CommandEntry, command, own, staff } from '../define.ts';
import { choice, freeText, object } from '../fields.ts';
import { EVIDENCE_KEYS } from '../incident-types/catalogue.ts';

/** What is contested, taken back or gone without. */
export const DISPUTE_COMMANDS: readonly CommandEntry[] = [
  command('evidence.waive', {
    summary: 'Goes without one piece of evidence: quality asks, a supervisor decides; the report shows it.',
    target: 'ticket',
    who: staff('qa', 'supervisor'),
    // Asking; deciding needs what the table of proofs says.
    proof: 'L1',
    input: object({ key: choice(EVIDENCE_KEYS), reason: freeText() }),
    needs: ['visit', 'technician', 'completion', 'consents'],
  }),
  command('billing.dispute', {
    summary: 'The requester contests the invoice; it is issued again or voided.',
    target: 'ticket',
    who: [own('requester')],
    proof: 'L1',
    input: object({ reason: freeText() }),
    needs: ['invoice', 'conversation'],
  }),
  command('billing.void', {
    summary: 'Takes the invoice back: finance signs first, a supervisor second.',
    target: 'ticket',
    who: staff('finance', 'supervisor'),
    proof: 'L3',
    input: object({ reason: freeText() }),
    needs: ['invoice', 'consents'],
    isActOfAuthority: true,
  }),
];
