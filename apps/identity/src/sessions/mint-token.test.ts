import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { SERVICES, SUBJECT_KINDS, spiffeId } from '@deadlatch/catalogue';
import { DispatchError } from '@deadlatch/kernel';
import {
  generateSigningKeyPem,
  loadSigningKey,
  type StepUpGrant,
  type TurnGrant,
  verifyTxnToken,
  withoutEnd,
} from '@deadlatch/signing';
import { verifies } from '../../../../test/requirements.ts';
import { createTokenMinter } from './mint-token.ts';

const NOW = 1_800_000_000_000;
const TENANT = randomUUID();
const key = loadSigningKey(generateSigningKeyPem());
const minter = createTokenMinter({
  key: () => key,
  environment: 'demo',
  now: () => NOW,
  newId: () => randomUUID(),
});

const turnGrant = (change: Partial<TurnGrant> = {}): TurnGrant => ({
  iss: spiffeId('demo', 'dispatch-api'),
  aud: spiffeId('demo', 'identity'),
  iat: NOW / 1000,
  exp: NOW / 1000 + 600,
  jti: randomUUID(),
  tenant: TENANT,
  turn: randomUUID(),
  conversation: randomUUID(),
  message: randomUUID(),
  subject: `contact:${randomUUID()}`,
  assurance: 'L1',
  agent_role: 'agent.intake',
  ticket: null,
  correlation_id: randomUUID(),
  ...change,
});

const stepUpGrant = (change: Partial<StepUpGrant> = {}): StepUpGrant => ({
  iss: spiffeId('demo', 'dispatch-api'),
  aud: spiffeId('demo', 'identity'),
  iat: NOW / 1000,
  exp: NOW / 1000 + 600,
  jti: randomUUID(),
  tenant: TENANT,
  approval: randomUUID(),
  contact: randomUUID(),
  action_digest: 'a'.repeat(43),
  level: 'L2',
  correlation_id: randomUUID(),
  ticket: randomUUID(),
  ...change,
});

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof DispatchError && error.code === code;

describe('tokens from a session', () => {
  it('name the asking service and stay under its ceiling', () => {
    verifies('T4.5', 'A.2');
    const subject = `staff:${randomUUID()}`;
    const correlation = randomUUID();
    const minted = minter.forSession('web', { tenantId: TENANT, subject, assurance: 'L3' }, correlation);
    const claims = verifyTxnToken(minted.token, {
      keys: [withoutEnd(key)],
      issuer: spiffeId('demo', 'identity'),
      audience: spiffeId('demo', 'dispatch-api'),
      requestedBy: spiffeId('demo', 'web'),
      now: NOW,
    });
    assert.equal(claims.sub, subject);
    assert.equal(claims.scope, 'person');
    assert.equal(claims.rctx.assurance, 'L1');
    assert.equal(claims.exp - claims.iat, 60);
    assert.equal(claims.tctx.correlation_id, correlation);
    const low = minter.forSession('web', { tenantId: TENANT, subject, assurance: 'L0' }, correlation);
    assert.equal(low.claims.rctx.assurance, 'L0');
  });

  it('are minted for no other service and no other kind of subject: the whole table', () => {
    verifies('T4.5');
    const allowed = new Map<string, readonly string[]>([
      ['web', ['contact', 'staff', 'technician', 'link']],
      ['cli', ['contact', 'staff', 'technician']],
    ]);
    for (const service of SERVICES) {
      for (const kind of SUBJECT_KINDS) {
        const mint = () =>
          minter.forSession(
            service,
            { tenantId: TENANT, subject: `${kind}:${randomUUID()}`, assurance: 'L1' },
            randomUUID(),
          );
        if (allowed.get(service)?.includes(kind)) assert.equal(mint().claims.scope, 'person');
        else assert.throws(mint, refusedWith('above_ceiling'), `${service} ${kind}`);
      }
    }
  });
});

describe('tokens from a turn grant', () => {
  it('copy the grant and end with it', () => {
    verifies('T4.8', 'T1.9');
    const grant = turnGrant({ exp: NOW / 1000 + 20, ticket: randomUUID() });
    const { claims } = minter.forTurn('tool-bridge', grant);
    assert.equal(claims.sub, grant.subject);
    assert.deepEqual(claims.act, { role: 'agent.intake', turn: grant.turn });
    assert.deepEqual(claims.tctx, {
      correlation_id: grant.correlation_id,
      conversation_id: grant.conversation,
      ticket_id: grant.ticket,
    });
    assert.equal(claims.exp, grant.exp);
    assert.throws(
      () => minter.forTurn('tool-bridge', turnGrant({ exp: NOW / 1000 })),
      refusedWith('unauthenticated'),
    );
  });

  it('are for the bridge alone, for its subject kinds and its assurance', () => {
    verifies('T4.5');
    for (const service of SERVICES.filter((name) => name !== 'tool-bridge')) {
      assert.throws(() => minter.forTurn(service, turnGrant()), refusedWith('above_ceiling'), service);
    }
    for (const kind of ['staff', 'technician', 'unknown_sender', 'link']) {
      const grant = turnGrant({ subject: `${kind}:${randomUUID()}` });
      assert.throws(() => minter.forTurn('tool-bridge', grant), refusedWith('above_ceiling'), kind);
    }
    for (const assurance of ['L2', 'L3'] as const) {
      const grant = turnGrant({ assurance });
      assert.throws(() => minter.forTurn('tool-bridge', grant), refusedWith('above_ceiling'));
    }
    const grant = turnGrant({ subject: `robot:${randomUUID()}` });
    assert.throws(() => minter.forTurn('tool-bridge', grant), refusedWith('unauthenticated'));
  });
});

describe('tokens from a completed step-up', () => {
  it('carry the digest, for identity itself', () => {
    verifies('T3.4');
    const grant = stepUpGrant();
    const { claims } = minter.forStepUp(grant);
    assert.equal(claims.sub, `contact:${grant.contact}`);
    assert.equal(claims.req_wl, spiffeId('demo', 'identity'));
    assert.equal(claims.tctx.action_digest, grant.action_digest);
    assert.deepEqual(claims.rctx, { channel: 'web', assurance: 'L2', amr: ['sms-link', 'email-code'] });
  });

  it('never claim more than the ceremony that ran', () => {
    verifies('T4.5', 'T3.2');
    assert.throws(() => minter.forStepUp(stepUpGrant({ level: 'L3' })), refusedWith('assurance_required'));
  });
});
