import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ChoiceRow, MessageDraft, OptionRow, TicketRow } from '@deadlatch/decision';
import { verifies } from '../../../../test/requirements.ts';
import {
  commitOf,
  effectOf,
  firstMessage,
  instantIn,
  newId,
  newMessage,
  newTicket,
  newVisit,
  next,
  ticketStep,
} from '../../../../test/support/commits.ts';
import { createTestDatabase, type TestDatabase, testPool } from '../../../../test/support/database.ts';
import { refusalOf } from '../../../../test/support/refusal.ts';
import { newOption, proposal, readyTicket } from '../../../../test/support/schedule-commits.ts';
import { type SeededTenant, seedTenant } from '../../../../test/support/seed.ts';
import { type CommandPath, createCommandPath } from '../command-path.ts';
import type { Pool } from '../pool.ts';

/** What the database holds by itself of links that choose, of ends, and of recalls. */
const HOUR = 3_600_000;
let db: TestDatabase;
let pool: Pool;
let path: CommandPath;
let t: SeededTenant;

before(async () => {
  db = await createTestDatabase();
  t = await seedTenant(db.adminUrl);
  pool = testPool(db.urls.dispatch);
  path = createCommandPath(pool);
});
after(async () => {
  await pool.end();
  await db.drop();
});

interface Offer {
  readonly ticket: TicketRow;
  readonly option: OptionRow;
  readonly said: MessageDraft;
}

/** A time on offer, told in a text whose link has this hash. */
async function offered(hash: string, from: number, over: Record<string, string> = {}): Promise<Offer> {
  const ticket = await readyTicket(path, t);
  const option = newOption(t, ticket.id, from);
  const said = newMessage(t, {
    direction: 'OUT',
    state: 'QUEUED',
    template: 'M05',
    ticket_id: ticket.id,
    text_id: null,
    provider_id: null,
  });
  const { changes, ...rest } = proposal(t, ticket, [option]);
  const link = {
    hash,
    purpose: 'choice' as const,
    contact_id: t.contacts.maria,
    object_id: said.id,
    expires_at: instantIn(HOUR),
    ...over,
  };
  await path.commitDecision({ ...rest, changes: { ...changes, messages: [said] }, links: [link] });
  return { ticket, option, said };
}

function tap({ ticket, option }: Offer, over: Partial<ChoiceRow>): Promise<string> {
  const message = newMessage(t, { channel: 'web', text_id: null, provider_id: null });
  const choice: ChoiceRow = {
    id: newId(),
    ticket_id: ticket.id,
    kind: 'OPTION',
    option_id: option.id,
    contact_id: t.contacts.maria,
    message_id: message.id,
    link_hash: null,
    channel: 'web',
    made_at: instantIn(),
    consumed_at: null,
    ...over,
  };
  return refusalOf(
    path.commitDecision(commitOf(t, 'choice.make', { changes: { inbound_message: message, choice } })),
  );
}

test('a link makes one choice, of its recipient, about the ticket of its text, while it lives', async () => {
  verifies('T1.10', 'T3.12', 'R.2');
  const offer = await offered('h1', 20_000 * HOUR);
  const other = await offered('h2', 20_010 * HOUR);
  const over = await offered('h3', 20_020 * HOUR, { expires_at: instantIn(-1) });
  const status = await offered('h4', 20_030 * HOUR, { purpose: 'status' });
  const GUARD = 'choice_without_its_link';
  assert.equal(await tap(offer, { link_hash: 'none' }), GUARD);
  assert.equal(await tap(offer, { link_hash: 'h2' }), GUARD);
  assert.equal(await tap(offer, { link_hash: 'h1', contact_id: t.contacts.sam }), GUARD);
  assert.equal(await tap(over, { link_hash: 'h3' }), GUARD);
  assert.equal(await tap(status, { link_hash: 'h4' }), GUARD);
  const alien = { link_hash: 'h1', option_id: other.option.id };
  assert.notEqual(await tap(offer, alien), 'allowed', 'an option is of its own ticket');
  assert.equal(await tap(offer, { link_hash: 'h1' }), 'allowed');
  assert.equal(await tap(offer, { link_hash: 'h1' }), 'choices_link_key');
});

test('a conversation in which something waits does not end, and takes no words once it has', async () => {
  verifies('A.3d', 'T1.4');
  const { commit, conversation } = firstMessage(t);
  await path.commitDecision(commit);
  const closed = next(conversation, { state: 'CLOSED' });
  const close = () =>
    refusalOf(
      path.commitDecision(
        commitOf(t, 'conversation.close', {
          effects: [effectOf('conversation', conversation, closed)],
          changes: { conversation: closed },
        }),
      ),
    );
  const says = (over: Partial<MessageDraft>) => {
    const message = newMessage(t, { conversation_id: conversation.id, ...over });
    const changes = message.direction === 'IN' ? { inbound_message: message } : { messages: [message] };
    return refusalOf(path.commitDecision(commitOf(t, 'message.receive', { changes })));
  };
  assert.equal(await close(), 'version_conflict', 'nobody has answered');
  const answer = {
    direction: 'OUT',
    state: 'QUEUED',
    template: 'M01',
    text_id: null,
    provider_id: null,
  } as const;
  assert.equal(await says({ ...answer, created_at: instantIn(1_000) }), 'allowed');
  const ticket = newTicket(t, { conversation_id: conversation.id });
  await path.commitDecision(ticketStep(t, 'ticket.create', null, ticket));
  assert.equal(await close(), 'version_conflict', 'an open ticket');
  const gone = next(ticket, { state: 'CANCELLED' });
  await path.commitDecision(ticketStep(t, 'ticket.cancel', ticket, gone));
  assert.equal(await close(), 'allowed');
  assert.equal(await says({}), 'version_conflict');
  assert.equal(
    await says({ ...answer, created_at: instantIn(2_000) }),
    'allowed',
    'what belongs to an old ticket',
  );
  const again = firstMessage(t);
  assert.equal(await refusalOf(path.commitDecision(again.commit)), 'allowed');
});

test('a ticket has one open recall', async () => {
  verifies('A.3d');
  const over = newTicket(t);
  await path.commitDecision(ticketStep(t, 'ticket.create', null, over));
  const recall = () => {
    const made = newTicket(t, { recall_of: over.id });
    const done = refusalOf(path.commitDecision(ticketStep(t, 'ticket.reopen', null, made)));
    return { made, done };
  };
  const both = [recall(), recall()];
  const answers = await Promise.all(both.map(({ done }) => done));
  assert.deepEqual([...answers].sort(), ['allowed', 'version_conflict']);
  const first = both[answers.indexOf('allowed')]?.made ?? assert.fail('none was made');
  await path.commitDecision(ticketStep(t, 'ticket.cancel', first, next(first, { state: 'CANCELLED' })));
  assert.equal(await recall().done, 'allowed');
});

test('an offer is not shown to a person before its time', async () => {
  verifies('R.3');
  const { ticket } = await offered('h9', 20_040 * HOUR);
  const proposed = next(ticket, { state: 'SCHEDULE_PROPOSED' });
  const agreed = next(proposed, { state: 'SCHEDULED' });
  await path.commitDecision(ticketStep(t, 'schedule.confirm', proposed, agreed));
  const sent = next(agreed, { state: 'DISPATCHED' });
  const visit = newVisit(t, ticket.id, { answer_by: instantIn(HOUR) });
  const offer = { effects: [effectOf('visit', null, visit)], changes: { visit } };
  await path.commitDecision(ticketStep(t, 'visit.dispatch', agreed, sent, offer));
  const told = (escalated_at: string) => {
    const after = next(visit, { escalated_at });
    return refusalOf(
      path.commitDecision(
        commitOf(t, 'visit.escalate', {
          ticketId: ticket.id,
          effects: [effectOf('visit', visit, after)],
          changes: { visit: after },
        }),
      ),
    );
  };
  assert.equal(await told(instantIn(HOUR - 1_000)), 'visits_escalated_when_due');
  assert.equal(await told(instantIn(HOUR)), 'allowed');
});
