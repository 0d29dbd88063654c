import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { CEILINGS, SERVICES, type ServiceName } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import type { TxnClaims, VerifiedRequest } from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { provenCaller } from './caller.ts';

const TENANT = randomUUID();
const CORRELATION = randomUUID();
const REQUEST = '0195a000-0000-7000-8000-0000000000f1';

function request(service: string, write = true): VerifiedRequest {
  return {
    keyId: 'k'.repeat(43),
    service,
    shape: { write, token: false },
    nonce: 'n'.repeat(22),
    created: 1,
    expires: 31,
    idempotencyKey: write ? randomUUID() : null,
    token: null,
    signatureBase: '',
    signature: '',
  };
}

function claims(over: Partial<TxnClaims> = {}): TxnClaims {
  return {
    iss: 'spiffe://test.deadlatch/identity',
    aud: 'spiffe://test.deadlatch/dispatch-api',
    iat: 1,
    exp: 61,
    txn: randomUUID(),
    tenant: randomUUID(),
    sub: `contact:${randomUUID()}`,
    scope: 'person',
    req_wl: 'spiffe://test.deadlatch/web',
    tctx: { correlation_id: randomUUID() },
    rctx: { channel: 'sms', assurance: 'L1', amr: [] },
    ...over,
  };
}

const isUnauthenticated = (error: unknown) =>
  error instanceof DispatchError && error.code === 'unauthenticated';
const alone = (service: string, write = true) =>
  provenCaller(request(service, write), null, TENANT, CORRELATION, REQUEST);

describe('a caller without a user', () => {
  test('may command only where the ceiling says so', () => {
    verifies('T4.5', 'A.2', 'C.0');
    const may = SERVICES.filter((service) => CEILINGS[service].withoutToken);
    assert.deepEqual([...may].sort(), ['gateway', 'worker']);
    for (const service of SERVICES) {
      if (may.includes(service)) assert.equal(alone(service).caller.scope, 'service');
      // Nobody, who may know the secret of a link: the ceiling says what that is good for.
      else if (service === 'web') {
        const { scope, subject } = alone(service).caller;
        assert.deepEqual([scope, subject], ['link', { kind: 'link', id: null }]);
        assert.deepEqual(CEILINGS.web.byLink, ['choice.make']);
      } else assert.throws(() => alone(service), isUnauthenticated, service);
    }
  });

  test('is nobody in particular, of this deployment’s tenant, at no more than its ceiling', () => {
    verifies('T4.5', 'T3.1');
    const expected: readonly (readonly [ServiceName, string, string])[] = [
      ['gateway', 'unknown_sender', 'L1'],
      ['worker', 'system', 'L1'],
    ];
    for (const [service, kind, assurance] of expected) {
      const { caller, tokenId } = alone(service);
      assert.deepEqual(caller, {
        tenantId: TENANT,
        service,
        subject: { kind, id: null },
        assurance,
        agent: null,
        scope: 'service',
        context: { correlationId: CORRELATION, conversationId: null, ticketId: null, actionDigest: null },
      });
      assert.equal(tokenId, null);
    }
  });

  test('that nobody knows is refused, however well it signs', () => {
    verifies('A.1', 'C.8');
    for (const service of ['', 'admin', 'constructor', '__proto__', 'Gateway']) {
      assert.throws(() => alone(service), isUnauthenticated, service);
      assert.throws(() => alone(service, false), isUnauthenticated, service);
    }
  });
});

describe('a caller with a user', () => {
  test('is who the token says, and nothing is added from elsewhere', () => {
    verifies('A.2', 'A.4');
    const token = claims({
      sub: `staff:${randomUUID()}`,
      tctx: { correlation_id: randomUUID(), ticket_id: randomUUID() },
    });
    const { caller, tokenId } = provenCaller(request('web'), token, TENANT, CORRELATION, REQUEST);
    assert.deepEqual(caller, {
      tenantId: token.tenant,
      service: 'web',
      subject: { kind: 'staff', id: token.sub.slice('staff:'.length) },
      assurance: 'L1',
      agent: null,
      scope: 'person',
      context: {
        correlationId: token.tctx.correlation_id,
        conversationId: null,
        ticketId: token.tctx.ticket_id,
        actionDigest: null,
      },
    });
    assert.equal(tokenId, token.txn);
  });

  test('is an agent when the token says for whom and in which turn', () => {
    verifies('A.4', 'T1.9');
    const act = { role: 'agent.intake', turn: randomUUID() } as const;
    const token = claims({ scope: 'turn', act });
    const { caller } = provenCaller(request('tool-bridge'), token, TENANT, CORRELATION, REQUEST);
    assert.deepEqual(caller.agent, { role: act.role, turnId: act.turn });
    assert.equal(caller.subject.kind, 'contact');
  });

  test('of a kind that nobody knows is refused', () => {
    verifies('C.8');
    for (const sub of [
      `root:${randomUUID()}`,
      `:${randomUUID()}`,
      randomUUID(),
      `constructor:${randomUUID()}`,
    ]) {
      assert.throws(
        () => provenCaller(request('web'), claims({ sub }), TENANT, CORRELATION, REQUEST),
        isUnauthenticated,
        sub,
      );
    }
  });
});
