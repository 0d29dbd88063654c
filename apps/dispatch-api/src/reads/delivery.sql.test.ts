import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ConversationRow, MessageDraft, TicketRow } from '@deadlatch/decision';
import { type CommandPath, createCommandPath, type Pool, withTenant } from '@deadlatch/postgres';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  effectOf,
  firstMessage,
  newId,
  newMessage,
  newTicket,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { findOutbound } from './delivery.sql.ts';
import { isStillTrue } from './still-true.ts';

let db: TestDatabase;
let pool: Pool;
let path: CommandPath;
let t: SeededTenant;
let conversation: ConversationRow;
let ticket: TicketRow;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch);
  path = createCommandPath(pool);
  const first = firstMessage(t);
  await path.commitDecision(first.commit);
  conversation = first.conversation;
  ticket = newTicket(t, { conversation_id: conversation.id });
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
});
after(async () => {
  await pool.end();
  await db.drop();
});

/** What an agent chose to say, committed and not delivered yet. */
async function queued(ticketId: string | null): Promise<MessageDraft> {
  const message = newMessage(t, {
    direction: 'OUT',
    state: 'QUEUED',
    template: 'phrase:thanks_noted',
    conversation_id: conversation.id,
    ticket_id: ticketId,
    text_id: null,
    provider_id: null,
  });
  await path.commitDecision(commitOf(t, 'conversation.reply', { changes: { messages: [message] } }));
  return message;
}

async function isSaid({ id }: MessageDraft): Promise<boolean> {
  const found = await withTenant(pool, t.tenantId, (tx) => findOutbound(tx, t.tenantId, id));
  assert.ok(found);
  return isStillTrue(found);
}

test('queued words of an agent are not said while a pause covers the tenant, the account or the ticket', async () => {
  verifies('T2.6', 'T1.2');
  const about = await queued(ticket.id);
  const loose = await queued(null);
  const said = async () => [await isSaid(about), await isSaid(loose)];
  assert.deepEqual(await said(), [true, true]);
  for (const [scope, scope_id, expected] of [
    ['tenant', t.tenantId, [false, false]],
    ['account', t.accountId, [false, false]],
    ['account', t.otherAccountId, [true, true]],
    ['ticket', ticket.id, [false, true]],
    ['ticket', newId(), [true, true]],
  ] as const) {
    const pause = { scope, scope_id };
    await path.commitDecision(commitOf(t, 'autonomy.pause', { changes: { pause } }));
    assert.deepEqual(await said(), expected, scope);
    await path.commitDecision(commitOf(t, 'autonomy.resume', { changes: { unpause: pause } }));
  }
  assert.deepEqual(await said(), [true, true]);
});

test('queued words of an agent are not said once a person took the conversation over', async () => {
  verifies('T2.6');
  const message = await queued(ticket.id);
  assert.equal(await isSaid(message), true);
  const taken = next(conversation, { state: 'HUMAN' });
  await path.commitDecision(
    commitOf(t, 'conversation.take_over', {
      effects: [effectOf('conversation', conversation, taken)],
      changes: { conversation: taken },
    }),
  );
  assert.equal(await isSaid(message), false);
});
