import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  generateSigningKeyPem,
  loadSigningKey,
  mintTxnToken,
  publicX,
  signRequest,
  verifyRequest,
} from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { checkRequest } from './check-request.ts';
import type { AuditEvent } from './event.ts';
import { readTrust } from './trail-trust.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const AUDIENCE = spiffeId('demo', 'dispatch-api');
const TENANT = '0195a000-0000-7000-8000-0000000000aa';
const DANA = '0195a000-0000-7000-8000-0000000000bb';

const VALID = { from: '2026-01-01T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' };
const signer = loadSigningKey(generateSigningKeyPem());
const minter = loadSigningKey(generateSigningKeyPem());

/** What a trail says of a request of this service, signed for real, with or without a person's token. */
function checked(service: ServiceName, command: string, hasToken: boolean): string | undefined {
  const target = `/v1/${command}`;
  const txn = randomUUID();
  const idempotencyKey = randomUUID();
  const token = mintTxnToken(
    {
      iss: spiffeId('demo', 'identity'),
      aud: AUDIENCE,
      iat: NOW / 1_000,
      exp: NOW / 1_000 + 60,
      txn,
      tenant: TENANT,
      sub: `staff:${DANA}`,
      scope: 'person',
      req_wl: spiffeId('demo', service),
      tctx: { correlation_id: randomUUID() },
      rctx: { channel: 'web', assurance: 'L1', amr: ['link'] },
    },
    minter,
  );
  const shape = { write: true, token: hasToken };
  const request = { method: 'POST', target, body: Buffer.from('{}'), audience: AUDIENCE, now: NOW } as const;
  const own = { ...request, shape, idempotencyKey, key: signer };
  const headers = signRequest(hasToken ? { ...own, token } : own);
  const key = { keyId: signer.keyId, publicKey: signer.publicKey, service, notBefore: 0 };
  const verified = verifyRequest({
    ...request,
    rawHeaders: Object.entries(headers).flat(),
    shapes: [shape],
    findKey: () => ({ ...key, notAfter: Number.MAX_SAFE_INTEGER, revokedAt: null }),
  });
  const event: AuditEvent = {
    v: 1,
    origin: 'dispatch',
    environment: 'demo',
    id: randomUUID(),
    time: new Date(NOW).toISOString(),
    tenant: TENANT,
    actor: {
      kind: hasToken ? 'staff' : `service.${service}`,
      id: hasToken ? DANA : null,
      assurance: 'L1',
      agent_role: null,
      turn_id: null,
    },
    workload: [spiffeId('demo', service), AUDIENCE],
    command,
    resource: null,
    decision: 'accepted',
    code: null,
    dimension: null,
    detail: null,
    policy_ids: [],
    policy_bundle: 'bundle',
    effects: [],
    details: {},
    correlation_id: randomUUID(),
    trace_id: null,
    request_id: null,
    input_digest: 'digest',
    request: {
      idempotency_key: idempotencyKey,
      key_id: signer.keyId,
      signature_base: verified.signatureBase,
      signature: verified.signature,
      token_id: hasToken ? txn : null,
    },
  };
  const trust = readTrust({
    environment: 'demo',
    services: [{ keyid: signer.keyId, service, x: publicX(signer.publicKey), ...VALID }],
    tokenKeys: [{ keyid: minter.keyId, x: publicX(minter.publicKey), ...VALID }],
    operators: [],
  });
  return checkRequest(event, trust, new Set());
}

test('what needs a person is backed by a token, and what a link or a service alone sends by none', () => {
  verifies('F.1', 'T4.2', 'A.2');
  assert.equal(checked('web', 'ticket.create', true), undefined);
  assert.equal(checked('web', 'choice.make', false), undefined);
  assert.equal(checked('gateway', 'message.receive', false), undefined);
  for (const [service, command, hasToken] of [
    ['web', 'ticket.create', false],
    ['cli', 'ticket.create', false],
    ['tool-bridge', 'ticket.create', false],
    ['web', 'choice.make', true],
  ] as const) {
    const found = checked(service, command, hasToken);
    assert.match(found ?? '', /token that it takes/, `${service} ${command}`);
  }
  // Nobody else makes a choice by a link.
  assert.match(checked('cli', 'choice.make', false) ?? '', /ceiling|token/);
  assert.match(checked('gateway', 'choice.make', false) ?? '', /beyond the ceiling/);
});
