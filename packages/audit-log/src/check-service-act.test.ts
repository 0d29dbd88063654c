import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { type ServiceName, spiffeId } from '@deadlatch/catalogue';
import {
  generateSigningKeyPem,
  loadSigningKey,
  publicX,
  signRequest,
  verifyRequest,
} from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { type AuditEvent, encodeEvent } from './event.ts';
import type { TrailTrust } from './trail-trust.ts';
import { verifyTrail } from './verify-trail.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const TIMES = { from: '2026-01-01T00:00:00.000Z', until: '2027-01-01T00:00:00.000Z' };
const KEYS = new Map(
  (['web', 'gateway', 'tool-bridge'] as const).map((name) => [
    name as ServiceName,
    loadSigningKey(generateSigningKeyPem()),
  ]),
);
const TRUST: TrailTrust = {
  environment: 'demo',
  services: [...KEYS].map(([service, key]) => ({
    service,
    keyid: key.keyId,
    x: publicX(key.publicKey),
    ...TIMES,
  })),
  tokenKeys: [],
  operators: [],
};
const NO_REQUEST = { idempotency_key: null, key_id: '', signature_base: '', signature: '', token_id: null };

/** A request without a user token, signed for real, as an event keeps it. */
function signed(service: ServiceName, target: string, audience: ServiceName): AuditEvent['request'] {
  const key = KEYS.get(service);
  assert.ok(key);
  const shape = { write: true, token: false };
  const idempotencyKey = randomUUID();
  const common = {
    method: 'POST' as const,
    target,
    body: Buffer.from('{}'),
    audience: spiffeId('demo', audience),
    now: NOW,
  };
  const headers = signRequest({ ...common, shape, idempotencyKey, key });
  const verified = verifyRequest({
    ...common,
    rawHeaders: Object.entries(headers).flat(),
    shapes: [shape],
    findKey: () => ({ ...key, service, notBefore: 0, notAfter: Number.MAX_SAFE_INTEGER, revokedAt: null }),
  });
  return {
    idempotency_key: idempotencyKey,
    key_id: key.keyId,
    signature_base: verified.signatureBase,
    signature: verified.signature,
    token_id: null,
  };
}

function event(
  origin: 'identity' | 'vault',
  command: string,
  request: AuditEvent['request'],
  change: Partial<AuditEvent> = {},
): AuditEvent {
  return {
    ...{ v: 1, origin, environment: 'demo', id: randomUUID(), time: new Date(NOW + 1_000).toISOString() },
    ...{ tenant: randomUUID(), workload: [], command, resource: null, effects: [], decision: 'accepted' },
    actor: { kind: 'service', id: 'web', assurance: 'L0', agent_role: null, turn_id: null },
    ...{ code: null, dimension: null, detail: null, policy_ids: [], policy_bundle: '', details: {} },
    ...{ correlation_id: randomUUID(), trace_id: null, request_id: null, input_digest: '', request },
    ...change,
  };
}

const check = (...events: readonly AuditEvent[]) =>
  verifyTrail(
    events.map((one) => Buffer.from(encodeEvent(one))),
    TRUST,
    null,
  );
const reasons = (...events: readonly AuditEvent[]) => check(...events).problems.map(({ reason }) => reason);

describe('an act of identity or vault', () => {
  it('is backed by the request of a service that may ask for it', () => {
    verifies('F.1', 'T4.5');
    const { signatures, unasked, problems } = check(
      event('identity', 'session.start', signed('web', '/v1/sessions', 'identity')),
      event('identity', 'token.mint', signed('web', '/v1/tokens/session', 'identity')),
      event('identity', 'token.mint', signed('tool-bridge', '/v1/tokens/turn', 'identity')),
      event('vault', 'contact.reveal', signed('gateway', '/v1/reveals', 'vault')),
      event('identity', 'code.try', NO_REQUEST),
      event('vault', 'contact.enrol', NO_REQUEST),
    );
    assert.deepEqual([signatures, unasked, problems], [4, 2, []]);
  });

  const forged: readonly (readonly [name: string, forged: () => AuditEvent, reason: RegExp])[] = [
    [
      'one that nobody asked for',
      () => event('vault', 'contact.reveal', NO_REQUEST),
      /no signed request backs/,
    ],
    [
      'a mint without a request',
      () => event('identity', 'token.mint', NO_REQUEST),
      /no signed request backs/,
    ],
    [
      'a request for another act',
      () => event('vault', 'contact.reveal', signed('gateway', '/v1/inbound', 'vault')),
      /covers another act/,
    ],
    [
      'a request to another receiver',
      () => event('identity', 'session.start', signed('web', '/v1/sessions', 'vault')),
      /for another receiver/,
    ],
    [
      'a service that may not ask',
      () => event('vault', 'contact.reveal', signed('web', '/v1/reveals', 'vault')),
      /may not ask/,
    ],
    [
      "the bridge at the endpoint for people's tokens",
      () => event('identity', 'token.mint', signed('tool-bridge', '/v1/tokens/session', 'identity')),
      /may not ask/,
    ],
    ['an act that does not exist', () => event('vault', 'ticket.close', NO_REQUEST), /no act of vault/],
    ["the other one's act", () => event('vault', 'code.try', NO_REQUEST), /no act of vault/],
    [
      'effects',
      () =>
        event('identity', 'code.try', NO_REQUEST, {
          effects: [
            { object: 'ticket', id: randomUUID(), version: 1, before_state: '-', after_state: 'NEW' },
          ],
        }),
      /has effects/,
    ],
    [
      'a signature that was changed',
      () => {
        const request = signed('gateway', '/v1/reveals', 'vault');
        return event('vault', 'contact.reveal', {
          ...request,
          signature: Buffer.alloc(64).toString('base64'),
        });
      },
      /does not verify/,
    ],
    [
      'a time far from the request',
      () =>
        event('vault', 'contact.reveal', signed('gateway', '/v1/reveals', 'vault'), {
          time: new Date(NOW + 120_000).toISOString(),
        }),
      /far in time/,
    ],
    [
      'counted refusals that were accepted',
      () => event('identity', 'refusals.counted', NO_REQUEST),
      /no signed request/,
    ],
  ];
  for (const [name, make, reason] of forged) {
    it(`is named: ${name}`, () => assert.match(reasons(make())[0] ?? '', reason));
  }

  it('is refused by an event too, whoever asked; one request backs one event; counted refusals come late', () => {
    const refused = { decision: 'refused' as const, code: 'above_ceiling' as const };
    assert.deepEqual(
      reasons(event('vault', 'contact.reveal', signed('web', '/v1/reveals', 'vault'), refused)),
      [],
    );
    const request = signed('gateway', '/v1/reveals', 'vault');
    assert.deepEqual(
      reasons(event('vault', 'contact.reveal', request), event('vault', 'contact.reveal', request)),
      ['the request was used for another event already'],
    );
    const late = { ...refused, time: new Date(NOW + 120_000).toISOString() };
    const counted = signed('gateway', '/v1/reveals', 'vault');
    assert.deepEqual(reasons(event('vault', 'refusals.counted', counted, late)), []);
    assert.deepEqual(reasons(event('identity', 'refusals.counted', NO_REQUEST, late)), []);
  });

  it('is of one environment', () => {
    assert.deepEqual(reasons(event('identity', 'code.try', NO_REQUEST, { environment: 'prod' })), [
      'an event of another environment',
    ]);
  });
});
