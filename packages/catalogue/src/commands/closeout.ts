import { type CommandEntry, command, own, staff } from '../define.ts';
import { amount, choice, freeText, list, object, optional, reference } from '../fields.ts';
import { EVIDENCE_KEYS, TEST_KEYS } from '../incident-types/catalogue.ts';

/** What qa can find wanting: an evidence key, a test, or the work itself. */
export const REMEDY_KEYS: readonly string[] = [
  ...EVIDENCE_KEYS,
  ...TEST_KEYS.map((k) => `test.${k}`),
  'work',
];

/** Verification, money, the end. */
export const CLOSEOUT_COMMANDS: readonly CommandEntry[] = [
  command('qa.verify', {
    summary: 'Passes or fails the completion; a FAIL is a recorded success of the command.',
    target: 'ticket',
    who: staff('qa', 'dispatcher'),
    proof: 'L1',
    input: object({
      result: choice(['PASS', 'FAIL']),
      /** What must be remedied; required on FAIL, forbidden on PASS. */
      wanting: optional(list(choice(REMEDY_KEYS), 1, 20)),
      rework: optional(choice(['remedy', 'return_trip'])),
      note: optional(freeText()),
    }),
    needs: ['visit', 'technician', 'completion', 'evidence', 'tests', 'costs', 'consents'],
  }),
  command('remedy.submit', {
    summary: 'Adds what qa found wanting; never edits the completion.',
    target: 'ticket',
    who: [own('technician'), ...staff('dispatcher')],
    proof: 'L1',
    input: object({
      remedies: list(
        object({ key: choice(REMEDY_KEYS), evidence_id: optional(reference('evidence')) }),
        1,
        20,
      ),
      note: optional(freeText()),
    }),
    needs: ['visit', 'completion', 'evidence'],
  }),
  command('billing.generate_invoice', {
    summary: 'Lines from parts, time and approved changes; the total never exceeds the NTE.',
    target: 'ticket',
    who: staff('finance'),
    proof: 'L1',
    input: object({}),
    needs: ['costs', 'invoice', 'approvals'],
    isActOfAuthority: true,
  }),
  command('billing.issue', {
    summary: 'Sends the invoice.',
    target: 'ticket',
    who: staff('finance'),
    proof: 'L1',
    input: object({}),
    needs: ['invoice', 'conversation'],
    isActOfAuthority: true,
  }),
  command('payment.record', {
    summary: 'The invoice was paid, in full.',
    target: 'ticket',
    who: staff('finance'),
    proof: 'L1',
    input: object({ amount_cents: amount(), method: choice(['ACH', 'CARD', 'CHECK', 'WIRE']) }),
    needs: ['invoice'],
    isActOfAuthority: true,
  }),
  command('ticket.close', {
    summary: 'The end: paid, or the close criteria of the contract; a timer ends what nobody ended.',
    target: 'ticket',
    who: [...staff('finance'), { role: 'system', membership: 'tenant' }],
    proof: 'L1',
    input: object({}),
    needs: ['invoice', 'conversation'],
  }),
];
