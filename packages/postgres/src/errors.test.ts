import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifies } from '../../../test/requirements.ts';
import { mapCommitError } from './errors.ts';
import { createPool } from './pool.ts';

const pgError = (code: string, constraint?: string) => Object.assign(new Error('x'), { code, constraint });

test('every outcome the command path knows, by constraint name', () => {
  const expected: Record<string, string> = {
    nonces_pkey: 'nonce_replayed',
    idempotency_pkey: 'idempotency_taken',
    consumed_tokens_pkey: 'token_consumed',
    expired: 'expired',
    authority_changed: 'authority_changed',
    autonomy_changed: 'autonomy_changed',
    turn_ended: 'turn_ended',
    bookings_no_overlap: 'double_booking',
    tickets_one_open_per_conversation: 'conversation_has_ticket',
    messages_inbound_once: 'duplicate_inbound',
    version_conflict: 'version_conflict',
    effects_pkey: 'version_conflict',
    publications_pkey: 'version_conflict',
  };
  for (const [constraint, kind] of Object.entries(expected)) {
    assert.deepEqual(mapCommitError(pgError('23505', constraint)), { kind, detail: constraint });
  }
});

test('a rule without a name of its own is a guarantee; deadlocks are decided again', () => {
  assert.equal(mapCommitError(pgError('23514', 'tickets_nte_at_least_base')).kind, 'guarantee');
  assert.equal(mapCommitError(pgError('42501')).kind, 'guarantee');
  assert.equal(mapCommitError(pgError('22P02')).kind, 'guarantee');
  assert.equal(mapCommitError(pgError('DL001', 'change_without_event')).kind, 'guarantee');
  assert.equal(mapCommitError(pgError('40P01')).kind, 'version_conflict');
});

test('anything else is unavailable: time-outs, lost connections, full disks, surprises', async () => {
  verifies('C.6');
  for (const error of [
    pgError('57014'),
    pgError('57P01'),
    pgError('53100'),
    pgError('08006'),
    pgError('ECONNREFUSED'),
    new Error('timeout exceeded when trying to connect'),
    new TypeError('x'),
    undefined,
    null,
    'text',
    { code: 7, constraint: {} },
  ]) {
    assert.equal(mapCommitError(error).kind, 'unavailable');
  }
  const nowhere = createPool({ url: 'postgres://x:x@127.0.0.1:1/x', applicationName: 'test' });
  await assert.rejects(nowhere.query('select 1'), (error) => mapCommitError(error).kind === 'unavailable');
  await nowhere.end();
});
