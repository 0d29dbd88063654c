import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError, dimensionOf, ERROR_CODES, REFUSAL_DIMENSIONS, refuse } from './errors.ts';

describe('error codes', () => {
  it('are exactly these, each in its dimension: they are part of the wire format', () => {
    const byDimension = Object.fromEntries(
      REFUSAL_DIMENSIONS.map((d) => [d, ERROR_CODES.filter((code) => dimensionOf(code) === d)]),
    );
    assert.deepEqual(byDimension, {
      authentication: ['unauthenticated'],
      tool: ['unknown_command', 'above_ceiling', 'not_granted'],
      schema: [
        'malformed_body',
        'schema_mismatch',
        'unsupported_media_type',
        'payload_too_large',
        'missing_idempotency_key',
      ],
      membership: ['not_found', 'turn_ended'],
      state: ['invalid_state', 'version_conflict', 'upload_conflict'],
      policy: [
        'policy_denied',
        'autonomy_denied',
        'agent_paused',
        'human_in_charge',
        'separation_of_duty',
        'nte_exceeded',
        'limit_exceeded',
        'not_eligible',
        'double_booking',
        'cooling_off',
        'after_hours',
        'not_due',
        'superseded',
        'too_many_uploads',
      ],
      evidence: ['evidence_missing', 'evidence_mismatch', 'evidence_unusable'],
      assurance: ['assurance_required', 'digest_mismatch', 'code_rejected'],
      idempotency: ['idempotency_key_reused'],
      rate: ['rate_limited'],
      outage: ['unavailable'],
    });
  });
});

describe('DispatchError', () => {
  it('keeps what is public apart from what is private', () => {
    const cause = new Error('socket closed');
    const error = new DispatchError('invalid_state', {
      detail: 'from the row',
      extra: { from_state: 'NEW', allowed_from: ['TRIAGED'] },
      policyIds: ['state.table'],
      cause,
    });
    assert.equal(error.message, 'invalid_state');
    assert.equal(error.dimension, 'state');
    assert.deepEqual(error.extra, { from_state: 'NEW', allowed_from: ['TRIAGED'] });
    assert.equal(error.detail, 'from the row');
    assert.deepEqual(error.policyIds, ['state.table']);
    assert.equal(error.cause, cause);
  });

  it('says nothing beyond the code when nothing is given', () => {
    assert.throws(
      () => refuse('not_found'),
      (error) => {
        assert.ok(error instanceof DispatchError);
        assert.deepEqual([error.code, error.extra, error.policyIds], ['not_found', {}, []]);
        assert.equal(error.detail, undefined);
        assert.equal(Object.hasOwn(error, 'cause'), false);
        return true;
      },
    );
  });
});
