import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { canonicalJson } from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { codeMailText } from './code-mail.ts';
import { describeAct } from './describe-act.ts';
import { approvalPage } from './pages.ts';

const ACT = {
  act_id: '0198a000-0000-7000-8000-000000000304',
  tenant_id: '0198a000-0000-7000-8000-000000000001',
  command: 'account.change',
  target: { id: '0198a000-0000-7000-8000-000000000002', version: 3 },
  account: 'acme-stores',
  site: null,
  input: {
    contract: {
      nte_cents: { ROUTINE: 40_000, URGENT: 60_000, EMERGENCY: 90_000 },
      labor_cents_per_hour: 9_500,
      quote_first: false,
    },
  },
  asked_by: '0198a000-0000-7000-8000-000000000027',
  proof: { assurance: 'L2', deciders: 2 },
  policy_bundle: 'b'.repeat(43),
  expires_at: '2026-03-02T16:00:00.000Z',
};

/** Every scalar of a statement, as its reader must find it somewhere. */
function scalars(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(scalars);
  return value === null ? [] : [String(value)];
}

describe('an act in words', () => {
  it('shows every value that is signed, amounts as money', () => {
    verifies('T3.4');
    const view = describeAct(canonicalJson(ACT));
    const seen = [
      view.title,
      view.account,
      view.expiresAt,
      ...[...view.asked, ...view.others].map(({ value }) => value),
    ].join('\n');
    assert.ok(seen.includes('$900.00') && seen.includes('$95.00'));
    for (const value of scalars(ACT).filter((v) => !/^\d{4,}$/.test(v) && v !== 'account.change'))
      assert.ok(seen.includes(value), value);
    assert.deepEqual(
      view.asked.map(({ label }) => label),
      [
        'contract labor per hour',
        'contract nte EMERGENCY',
        'contract nte ROUTINE',
        'contract nte URGENT',
        'contract quote first',
      ],
    );
  });

  it('is on the page and in the mail, with the statement in full', () => {
    verifies('T3.4', 'T3.7');
    const action = canonicalJson(ACT);
    const view = describeAct(action);
    const { html } = approvalPage('s'.repeat(34), action, view, { kind: 'send-code' });
    for (const word of ['Change an account', 'acme-stores', '$900.00', '2 Mar 2026, 16:00 UTC'])
      assert.ok(html.includes(word), word);
    const mail = codeMailText({
      to: 'a@b.example',
      code: '12345678',
      view,
      pageOrigin: 'https://id.example',
    });
    for (const word of ['Your code: 12345678', 'Change an account', 'acme-stores', '$900.00'])
      assert.ok(mail.includes(word), word);
  });

  it('cannot be shown, and so not confirmed, when anything that matters is missing or unknown', () => {
    verifies('T3.4', 'C.8');
    const bad: readonly object[] = [
      { ...ACT, command: 'role.grant' },
      { ...ACT, command: 'toString' },
      { ...ACT, command: 7 },
      { ...ACT, input: null },
      { ...ACT, input: [] },
      { ...ACT, expires_at: 'tomorrow' },
      [],
    ];
    for (const statement of bad) {
      assert.throws(
        () => describeAct(canonicalJson(statement as never)),
        (error) => error instanceof DispatchError && error.code === 'digest_mismatch',
        JSON.stringify(statement).slice(0, 80),
      );
    }
  });
});
