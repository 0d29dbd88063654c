import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { spiffeId } from '@deadlatch/catalogue';
import {
  generateSigningKeyPem,
  loadSigningKey,
  mintTxnToken,
  publicX,
  signRequest,
  type TxnClaims,
  verifyRequest,
} from '@deadlatch/signing';
import { verifies } from '../../../test/requirements.ts';
import { type AuditEvent, encodeEvent } from './event.ts';
import type { CurrentObject } from './trail-state.ts';
import type { TrailTrust } from './trail-trust.ts';
import { verifyTrail } from './verify-trail.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const AUDIENCE = spiffeId('demo', 'dispatch-api');
const TICKET = '0195a000-0000-7000-8000-000000000001';

const TENANT = '0195a000-0000-7000-8000-0000000000aa';
const DANA = '0195a000-0000-7000-8000-0000000000bb';

const signer = loadSigningKey(generateSigningKeyPem());
const minter = loadSigningKey(generateSigningKeyPem());
const KEYS: TrailTrust['services'] = [
  {
    keyid: signer.keyId,
    service: 'web',
    x: publicX(signer.publicKey),
    from: '2026-01-01T00:00:00.000Z',
    until: '2027-01-01T00:00:00.000Z',
  },
];
const TRUST: TrailTrust = {
  environment: 'demo',
  services: KEYS,
  tokenKeys: [
    {
      keyid: minter.keyId,
      x: publicX(minter.publicKey),
      from: '2026-01-01T00:00:00.000Z',
      until: '2027-01-01T00:00:00.000Z',
    },
  ],
  operators: [],
};

/** A token as identity mints it for a dispatcher at the console. */
function tokenOf(change: Partial<TxnClaims> = {}): { token: string; claims: TxnClaims } {
  const claims: TxnClaims = {
    iss: spiffeId('demo', 'identity'),
    aud: AUDIENCE,
    iat: NOW / 1_000,
    exp: NOW / 1_000 + 60,
    txn: randomUUID(),
    tenant: TENANT,
    sub: `staff:${DANA}`,
    scope: 'person',
    req_wl: spiffeId('demo', 'web'),
    tctx: { correlation_id: randomUUID() },
    rctx: { channel: 'web', assurance: 'L1', amr: ['link'] },
    ...change,
  };
  return { token: mintTxnToken(claims, minter), claims };
}

/** A request signed for real, as an event keeps it. */
function signed(
  target: string,
  idempotencyKey: string,
  change: Partial<TxnClaims> = {},
): AuditEvent['request'] {
  const body = Buffer.from('{}');
  const shape = { write: true, token: true };
  const { token, claims } = tokenOf(change);
  const headers = signRequest({
    method: 'POST',
    target,
    body,
    shape,
    token,
    idempotencyKey,
    key: signer,
    audience: AUDIENCE,
    now: NOW,
  });
  const verified = verifyRequest({
    method: 'POST',
    target,
    body,
    rawHeaders: Object.entries(headers).flat(),
    shapes: [shape],
    audience: AUDIENCE,
    now: NOW,
    findKey: () => ({
      keyId: signer.keyId,
      publicKey: signer.publicKey,
      service: 'web',
      notBefore: 0,
      notAfter: Number.MAX_SAFE_INTEGER,
      revokedAt: null,
    }),
  });
  return {
    idempotency_key: idempotencyKey,
    key_id: signer.keyId,
    signature_base: verified.signatureBase,
    signature: verified.signature,
    token_id: claims.txn,
  };
}

function event(command: string, before: string, after: string, version: number): AuditEvent {
  const isNew = before === '-';
  return {
    v: 1,
    origin: 'dispatch',
    environment: 'demo',
    id: randomUUID(),
    time: new Date(NOW + version * 1_000).toISOString(),
    tenant: TENANT,
    actor: { kind: 'staff', id: DANA, assurance: 'L1', agent_role: null, turn_id: null },
    workload: [spiffeId('demo', 'web'), AUDIENCE],
    command,
    resource: { kind: 'ticket', id: TICKET },
    decision: 'accepted',
    code: null,
    dimension: null,
    detail: null,
    policy_ids: ['dispatcher.tickets'],
    policy_bundle: 'bundle',
    effects: [{ object: 'ticket', id: TICKET, version, before_state: before, after_state: after }],
    details: {},
    correlation_id: randomUUID(),
    trace_id: null,
    request_id: null,
    input_digest: 'digest',
    request: signed(isNew ? `/v1/${command}` : `/v1/tickets/${TICKET}/${command}`, randomUUID()),
  };
}

/** Three events of one ticket, honest in every respect. */
function trail(): AuditEvent[] {
  return [
    event('ticket.create', '-', 'NEW', 1),
    event('ticket.triage', 'NEW', 'TRIAGED', 2),
    event('ticket.ready', 'TRIAGED', 'READY_TO_SCHEDULE', 3),
  ];
}

const NOW_READY: CurrentObject[] = [{ object: 'ticket', id: TICKET, version: 3, state: 'READY_TO_SCHEDULE' }];

function check(
  events: readonly AuditEvent[],
  current: readonly CurrentObject[] = NOW_READY,
  keys: TrailTrust['services'] = KEYS,
) {
  return verifyTrail(
    events.map((e) => Buffer.from(encodeEvent(e))),
    { ...TRUST, services: keys },
    { objects: current, directory: [] },
  );
}

/** The trail with one event changed. */
function withEvent(index: number, change: (e: AuditEvent) => AuditEvent): AuditEvent[] {
  return trail().map((e, at) => (at === index ? change(e) : e));
}

describe('verifyTrail', () => {
  it('finds nothing in an honest trail, and says what it checked', () => {
    verifies('F.1');
    assert.deepEqual(check(trail()), {
      events: 3,
      signatures: 3,
      unasked: 0,
      effects: 3,
      objects: 1,
      rows: 0,
      problems: [],
    });
  });

  const forgeries: [string, () => ReturnType<typeof check>, RegExp, number | null][] = [
    [
      'a changed state',
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            effects: e.effects.map((x) => ({ ...x, after_state: 'CANCELLED' })),
          })),
        ),
      /no such edge/,
      1,
    ],
    ['a removed event', () => check(trail().filter((_, at) => at !== 1)), /version 3 follows 1/, 1],
    ['a removed last event', () => check(trail().slice(0, 2)), /no event explains/, null],
    ['reordered events', () => check(trail().reverse()), /version 3 follows 0/, 0],
    [
      'an event that occurs twice',
      () => {
        const events = trail();
        return check([...events, events[0] as AuditEvent]);
      },
      /occurs twice/,
      3,
    ],
    [
      'a row that no event made',
      () => check(trail(), [...NOW_READY, { object: 'ticket', id: randomUUID(), version: 1, state: 'NEW' }]),
      /no event explains/,
      null,
    ],
    [
      'a row changed behind the trail',
      () => check(trail(), [{ object: 'ticket', id: TICKET, version: 3, state: 'CLOSED' }]),
      /no event explains/,
      null,
    ],
    [
      'a command nobody signed',
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            request: { ...e.request, signature: Buffer.alloc(64).toString('base64') },
          })),
        ),
      /does not verify/,
      1,
    ],
    [
      'a signature of another command',
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            request: signed(`/v1/tickets/${TICKET}/ticket.ready`, e.request.idempotency_key ?? ''),
          })),
        ),
      /covers another command/,
      1,
    ],
    [
      'a signature of another ticket',
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            request: signed(`/v1/tickets/${randomUUID()}/ticket.triage`, e.request.idempotency_key ?? ''),
          })),
        ),
      /covers another resource/,
      1,
    ],
    [
      'a signature under another idempotency key',
      () => check(withEvent(1, (e) => ({ ...e, request: { ...e.request, idempotency_key: randomUUID() } }))),
      /covers another idempotency key/,
      1,
    ],
    [
      "a command booked on somebody else's name",
      () => check(withEvent(1, (e) => ({ ...e, actor: { ...e.actor, id: randomUUID() } }))),
      /for another actor/,
      1,
    ],
    [
      'a claimed assurance that nobody proved',
      () => check(withEvent(1, (e) => ({ ...e, actor: { ...e.actor, assurance: 'L3' } }))),
      /for another actor/,
      1,
    ],
    [
      "an agent's command shown as a person's",
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            actor: { ...e.actor, agent_role: 'agent.intake', turn_id: randomUUID() },
          })),
        ),
      /for another actor/,
      1,
    ],
    [
      'a token of another service',
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            request: signed(`/v1/tickets/${TICKET}/ticket.triage`, e.request.idempotency_key ?? '', {
              req_wl: spiffeId('demo', 'cli'),
            }),
          })),
        ),
      /token_of_another_service/,
      1,
    ],
    [
      'one signed request behind two events',
      () => {
        const events = trail();
        const [, second] = events;
        assert.ok(second);
        return check([
          ...events.slice(0, 2),
          {
            ...second,
            id: randomUUID(),
            effects: second.effects.map((x) => ({
              ...x,
              version: 3,
              before_state: 'TRIAGED',
              after_state: 'TRIAGED',
            })),
          },
        ]);
      },
      /used for another event/,
      2,
    ],
    [
      'an event far from its request in time',
      () => check(withEvent(1, (e) => ({ ...e, time: new Date(NOW + 3_600_000).toISOString() }))),
      /far in time/,
      1,
    ],
    ['a key that is not pinned', () => check(trail(), NOW_READY, []), /not pinned/, 0],
    [
      'a key after its time',
      () =>
        check(
          trail(),
          NOW_READY,
          KEYS.map((k) => ({ ...k, until: '2026-02-01T00:00:00.000Z' })),
        ),
      /outside its time/,
      0,
    ],
    [
      "a command beyond its signer's ceiling",
      () =>
        check(
          withEvent(1, (e) => ({
            ...e,
            command: 'approval.decide',
            resource: { kind: 'approval', id: DANA },
            request: signed(`/v1/approvals/${DANA}/approval.decide`, e.request.idempotency_key ?? ''),
          })),
        ),
      /beyond the ceiling/,
      1,
    ],
    [
      'a refusal that had effects',
      () => check(withEvent(1, (e) => ({ ...e, decision: 'refused', code: 'invalid_state' }))),
      /refusal has effects/,
      1,
    ],
  ];
  for (const [name, run, reason, index] of forgeries) {
    it(`names ${name}`, () => {
      const { problems } = run();
      assert.ok(problems.length > 0);
      assert.match(problems[0]?.reason ?? '', reason);
      assert.equal(problems[0]?.index, index);
    });
  }

  it('refuses bytes that are not exactly the canonical form', () => {
    const [first] = trail();
    assert.ok(first);
    const spaced = Buffer.from(JSON.stringify(JSON.parse(encodeEvent(first)), null, 1));
    const { problems } = verifyTrail(
      [spaced, Buffer.from('{"v":1,"v":1}'), Buffer.from('nonsense')],
      TRUST,
      null,
    );
    assert.deepEqual(
      problems.map((p) => p.reason),
      ['not in canonical form', 'not strict JSON: duplicate key', 'not strict JSON: not json'],
    );
  });
});
