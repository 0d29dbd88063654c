import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DispatchError, ERROR_CODES, type ErrorCode } from '@deadlatch/kernel';
import { verifies } from '../../../test/requirements.ts';
import { asRefusal, problemFor } from './problem.ts';
import { statusOf } from './statuses.ts';

/** The wire contract: a change here is a change for every client. */
const PINNED: Record<number, readonly ErrorCode[]> = {
  400: ['malformed_body', 'missing_idempotency_key', 'schema_mismatch'],
  401: ['unauthenticated'],
  403: [
    'above_ceiling',
    'after_hours',
    'agent_paused',
    'assurance_required',
    'autonomy_denied',
    'code_rejected',
    'cooling_off',
    'digest_mismatch',
    'human_in_charge',
    'limit_exceeded',
    'not_due',
    'not_granted',
    'policy_denied',
    'separation_of_duty',
    'turn_ended',
  ],
  404: ['not_found', 'unknown_command'],
  409: [
    'double_booking',
    'invalid_state',
    'superseded',
    'too_many_uploads',
    'upload_conflict',
    'version_conflict',
  ],
  413: ['payload_too_large'],
  415: ['unsupported_media_type'],
  422: [
    'evidence_mismatch',
    'evidence_missing',
    'evidence_unusable',
    'idempotency_key_reused',
    'not_eligible',
    'nte_exceeded',
  ],
  429: ['rate_limited'],
  503: ['unavailable'],
};

describe('problems', () => {
  it('have exactly these statuses', () => {
    const actual: Record<number, ErrorCode[]> = {};
    for (const code of [...ERROR_CODES].sort()) {
      const status = statusOf(code);
      actual[status] = [...(actual[status] ?? []), code];
    }
    assert.deepEqual(actual, PINNED);
  });

  it('hold the code and the public members, never detail, cause or text', () => {
    verifies('T1.3');
    const error = new DispatchError('invalid_state', {
      detail: 'maria',
      cause: new Error('lopez'),
      extra: { from_state: 'NEW', allowed_from: ['TRIAGED'] },
      policyIds: ['p1'],
    });
    assert.deepEqual(problemFor(error, 'r1'), {
      status: 409,
      body: {
        type: 'urn:deadlatch:problem:invalid_state',
        title: 'invalid state',
        status: 409,
        code: 'invalid_state',
        dimension: 'state',
        request_id: 'r1',
        from_state: 'NEW',
        allowed_from: ['TRIAGED'],
      },
    });
  });

  it('let no extra member replace one of ours', () => {
    const error = new DispatchError('not_found', {
      extra: { code: 'accepted', status: 200, request_id: 'x', dimension: 'none', type: 'x', title: 'x' },
    });
    const { status, body } = problemFor(error, 'r1');
    assert.deepEqual([status, body.status, body.code, body.request_id], [404, 404, 'not_found', 'r1']);
  });

  it('of a refusal that another service made name the request as that service and its audit event do', () => {
    const error = new DispatchError('not_granted', { requestId: 'theirs' });
    assert.equal(problemFor(error, 'ours').body.request_id, 'theirs');
  });

  it('of anything unknown are an outage', () => {
    verifies('C.0');
    const fastifyLike = Object.assign(new Error('x'), { code: 'FST_ERR_SOMETHING_NEW', statusCode: 200 });
    for (const error of [new Error('x'), fastifyLike, 'text', null, undefined, { code: 'not_found' }]) {
      assert.equal(asRefusal(error).code, 'unavailable');
      assert.equal(problemFor(error, 'r').status, 503);
    }
  });
});
