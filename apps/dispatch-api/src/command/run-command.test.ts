import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Accepted, TurnRow } from '@deadlatch/decision';
import { DispatchError } from '@deadlatch/kernel';
import { createLogWatch } from '@deadlatch/log-watch';
import { createCommandPath, type Pool, readLogState } from '@deadlatch/postgres';
import { generateSigningKeyPem, loadSigningKey } from '@deadlatch/signing';
import { createTracing } from '@deadlatch/telemetry';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  firstMessage,
  newId,
  newMessage,
  newTurn,
  nonce,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { makeLogTrust } from '../../../../test/support/log-trust.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { createGrantIssuer } from '../grants/issue-grants.ts';
import type { Proven } from './caller.ts';
import { createRefusals } from './refusals.ts';
import { type CommandRunner, createCommandRunner } from './run-command.ts';

const ENVIRONMENT = 'test';
const trust = makeLogTrust(ENVIRONMENT);
const DONE: Accepted = {
  kind: 'accepted',
  changes: {},
  event: { effects: [], resource: null, details: {}, policy_ids: [], policy_bundle: 'p' },
  outbox: [],
  answer: { ticket: null, result: {} },
};

let db: TestDatabase;
let pool: Pool;
let t: SeededTenant;
let turn: TurnRow;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch);
  const first = firstMessage(t);
  await createCommandPath(pool).commitDecision(first.commit);
  turn = first.turn;
});
after(async () => {
  await pool.end();
  await db.drop();
});

/** A runner whose decision always says yes, so that only the database is left to say no. */
function runner(): CommandRunner {
  const key = loadSigningKey(generateSigningKeyPem());
  const source = { environment: ENVIRONMENT, policyBundle: 'p' };
  const path = createCommandPath(pool);
  const watch = createLogWatch({
    readState: () => readLogState(pool, t.tenantId),
    readWitness: async () => null,
    trust: () => trust,
    steady: () => performance.now(),
    logger: { event: () => undefined },
  });
  return createCommandRunner({
    ...source,
    path,
    watch,
    refusals: createRefusals({ ...source, path, now: Date.now, newId }),
    decide: () => DONE,
    whyNot: () => null,
    observe: async () => null,
    discardUpload: async () => {},
    secrets: {
      linkKey: randomBytes(32),
      grants: createGrantIssuer({ key: () => key, environment: ENVIRONMENT, now: Date.now, newId }),
      newId,
    },
    tracing: createTracing({ random: randomBytes }),
    newId,
    now: Date.now,
  });
}

function agentIn(turnId: string): Proven {
  const { keyid, nonce: used, created, expires } = nonce();
  return {
    tokenId: randomUUID(),
    requestId: randomUUID(),
    request: {
      keyId: keyid,
      service: 'tool-bridge',
      shape: { write: true, token: true },
      nonce: used,
      created,
      expires,
      idempotencyKey: randomUUID(),
      token: null,
      signatureBase: '',
      signature: '',
    },
    caller: {
      tenantId: t.tenantId,
      service: 'tool-bridge',
      subject: { kind: 'contact', id: t.contacts.maria },
      assurance: 'L1',
      agent: { role: 'agent.intake', turnId },
      scope: 'turn',
      context: {
        correlationId: randomUUID(),
        conversationId: turn.conversation_id,
        ticketId: null,
        actionDigest: null,
      },
    },
  };
}

/** Sends a reply; the code of its refusal, and what the trail says of it. */
async function reply(proven: Proven) {
  const call = {
    command: 'conversation.reply',
    targetId: null,
    input: { phrase: 'thanks_noted' },
    fingerprint: 'f',
    concretePath: '/v1/conversation/reply',
  };
  const code = await runner()
    .run(proven, call)
    .then(
      () => 'accepted',
      (error: unknown) => (error instanceof DispatchError ? error.code : String(error)),
    );
  const admin = testPool(db.adminUrl, 1);
  const { rows } = await admin.query(
    "select decision, convert_from(body, 'UTF8')::jsonb ->> 'code' as code from audit.events where correlation_id = $1",
    [proven.caller.context.correlationId],
  );
  await admin.end();
  return { code, trail: rows };
}

test('a turn that ended after the decision read it commits nothing, and the refusal is on record', async () => {
  verifies('T1.9', 'F.1');
  assert.deepEqual(await reply(agentIn(turn.id)), {
    code: 'accepted',
    trail: [{ decision: 'accepted', code: null }],
  });
  const message = newMessage(t, { conversation_id: turn.conversation_id });
  const next = newTurn(t, turn.conversation_id, message.id);
  await createCommandPath(pool).commitDecision(
    commitOf(t, 'message.receive', { changes: { inbound_message: message, turn: next } }),
  );
  assert.deepEqual(await reply(agentIn(turn.id)), {
    code: 'turn_ended',
    trail: [{ decision: 'refused', code: 'turn_ended' }],
  });
});
