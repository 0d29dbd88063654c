import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError } from '@deadlatch/kernel';
import { verifies } from '../../../../test/requirements.ts';
import { describeAction } from './describe-action.ts';
import { approvalPage } from './pages.ts';

const ACTION = {
  kind: 'NTE_INCREASE',
  amount_cents: 20_000,
  new_nte_cents: 95_000,
  nte_before_cents: 75_000,
  lines: [{ kind: 'PART', quantity: 2, unit_cents: 10_000, incurred: 'no', part_number: 'L-9080' }],
  expires_at: '2026-11-22T14:05:00.000Z',
  reference: 'DL-ABCD1234',
  site: 'store-114',
  policy_bundle: 'bundle-1',
};

describe('the approval page', () => {
  it('shows every member of the signed statement', () => {
    verifies('T3.4');
    const action = JSON.stringify(ACTION);
    const view = describeAction(action);
    assert.equal(view.title, 'Raise the not-to-exceed amount');
    assert.equal(view.lines[0]?.totalCents, 20_000);
    assert.deepEqual(view.others, [
      { label: 'nte before', value: '$750.00' },
      { label: 'policy bundle', value: 'bundle-1' },
    ]);
    const page = approvalPage('secret', action, view, { kind: 'send-code' }).html;
    for (const shown of [
      '$200.00',
      '$950.00',
      '$750.00',
      'L-9080',
      'DL-ABCD1234',
      'store-114',
      '22 Nov 2026, 14:05 UTC',
    ]) {
      assert.ok(page.includes(shown), shown);
    }
  });

  it('refuses a statement it could not show in full', () => {
    for (const key of ['kind', 'amount_cents', 'new_nte_cents', 'lines', 'expires_at']) {
      const without = Object.fromEntries(Object.entries(ACTION).filter(([name]) => name !== key));
      assert.throws(() => describeAction(JSON.stringify(without)), isMismatch, key);
    }
    const odd = [
      { ...ACTION, amount_cents: '20000' },
      { ...ACTION, amount_cents: 0.5 },
      { ...ACTION, lines: [] },
      { ...ACTION, lines: [{ kind: 'PART' }] },
      { ...ACTION, expires_at: 'soon' },
      [],
    ];
    for (const value of odd) assert.throws(() => describeAction(JSON.stringify(value)), isMismatch);
  });

  it('lets no value become markup', () => {
    const action = JSON.stringify({ ...ACTION, reference: '<script>alert(1)</script>', note: '"><b>' });
    const page = approvalPage('secret', action, describeAction(action), { kind: 'send-code' }).html;
    assert.ok(!page.includes('<script'));
    assert.ok(!page.includes('<b>'));
  });
});

function isMismatch(error: unknown): boolean {
  return error instanceof DispatchError && error.code === 'digest_mismatch';
}
