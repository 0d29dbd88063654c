import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TICKET_STATES, type TicketState, VISIT_STATES } from '@deadlatch/catalogue';
import { verifies } from '../../../../test/requirements.ts';
import type { OptionRow } from '../schedule-facts.ts';
import { IDS } from '../testing/ids.ts';
import { at, HOUR, MINUTE, NOW, visitRow } from '../testing/rows.ts';
import { accept, code, type Twist } from '../testing/scene.ts';
import { agreedOptionRow, scheduleFacts, technicianFacts } from '../testing/schedule-rows.ts';

function agreed(option: Partial<OptionRow>) {
  return { technician: technicianFacts(), schedule: scheduleFacts({ options: [agreedOptionRow(option)] }) };
}

test('a visit is missed when the agreed time is over by the database’s clock, and not a moment before', () => {
  verifies('A.3d', 'R.3');
  const miss = (visit: Parameters<typeof visitRow>[0], option: Partial<OptionRow> = {}) =>
    code('visit.miss', 'system', {
      facts: {
        visit: visitRow({ state: 'ACCEPTED', ...visit }),
        schedule: scheduleFacts({ options: [agreedOptionRow(option)] }),
      },
    });
  const over = { ends_at: NOW, emergency: true };
  assert.equal(miss(over), 'accepted');
  assert.equal(miss({ ...over, ends_at: at(1) }), 'superseded');
  for (const state of ['OFFERED', 'EN_ROUTE'] as const) {
    assert.equal(miss({ ...over, state }), 'accepted', state);
    assert.equal(miss({ ...over, state, ends_at: at(1) }), 'superseded', state);
  }
  assert.equal(miss({ ...over, state: 'ON_SITE' }), 'invalid_state');
  const planned = { ends_at: at(-HOUR), emergency: false };
  assert.equal(miss(planned, { window_to: NOW }), 'accepted');
  assert.equal(miss(planned, { window_to: at(1) }), 'superseded', 'the window is not over');
  assert.equal(miss({ ...planned, ends_at: 'never' }), 'superseded');
  const { changes, event } = accept('visit.miss', 'system');
  assert.deepEqual(
    [changes.ticket?.state, changes.visit?.state, changes.end_options_of, event.details.owner],
    ['READY_TO_SCHEDULE', 'MISSED', IDS.ticket, 'PROVIDER'],
  );
  // What nobody took was nobody's to miss; the customer is told and the technician free all the same.
  const facts = { visit: visitRow({ ...over, state: 'OFFERED' }) };
  const untaken = accept('visit.miss', 'system', { facts }).changes;
  assert.deepEqual(
    [untaken.visit?.state, untaken.release_booking_of, untaken.messages?.[0]?.template, untaken.tasks],
    ['CANCELLED', IDS.visit, 'M09', [{ kind: 'visit_missed', ticket_id: IDS.ticket }]],
  );
});

test('an offer is to be taken within what its priority gives, and before its window begins', () => {
  verifies('R.3');
  const dueOf = (command: string, twist: Twist) =>
    accept(command, 'dispatcher', twist).changes.timers?.find((t) => t.kind === 'visit.escalate')?.due_at;
  const within = (priority: 'ROUTINE' | 'URGENT' | 'EMERGENCY', option: Partial<OptionRow> = {}) =>
    dueOf('visit.dispatch', { ticket: { priority }, facts: agreed(option) });
  assert.equal(within('ROUTINE'), at(4 * HOUR));
  assert.equal(within('URGENT'), at(HOUR));
  assert.equal(within('EMERGENCY'), at(10 * MINUTE));
  const from = (window_from: string) => ({ window_from, window_to: at(26 * HOUR) });
  assert.equal(within('ROUTINE', from(at(30 * MINUTE))), at(30 * MINUTE));
  // A window that has begun: until it is over.
  const begun = { window_from: at(-HOUR), window_to: at(HOUR), visit_from: at(-HOUR), visit_to: at(HOUR) };
  assert.equal(within('ROUTINE', begun), at(HOUR));
  assert.equal(within('EMERGENCY', begun), at(10 * MINUTE));
  const now = dueOf('visit.dispatch_emergency', { ticket: { priority: 'EMERGENCY' } });
  assert.equal(now, at(10 * MINUTE));
  const again = accept('visit.reassign', 'dispatcher', { ticket: { priority: 'URGENT' } }).changes;
  assert.deepEqual(
    again.timers?.map(({ kind }) => kind),
    ['visit.miss', 'visit.escalate'],
  );
  assert.equal(again.visit?.answer_by, at(HOUR), 'the row holds what the timer is asked by');
});

test('an offer that nobody took is shown to a person once, by the database’s clock and never before', () => {
  verifies('R.3', 'A.3d');
  const escalate = (visit: Parameters<typeof visitRow>[0]) =>
    code('visit.escalate', 'system', { facts: { visit: visitRow({ state: 'OFFERED', ...visit }) } });
  assert.equal(escalate({ answer_by: NOW }), 'accepted');
  assert.equal(escalate({ answer_by: at(1) }), 'superseded');
  assert.equal(escalate({ answer_by: null }), 'superseded');
  assert.equal(escalate({ answer_by: 'soon' }), 'superseded');
  assert.equal(escalate({ answer_by: at(-1), escalated_at: at(-1) }), 'superseded');
  for (const state of VISIT_STATES.filter((s) => s !== 'OFFERED')) {
    assert.equal(escalate({ answer_by: at(-1), state }), 'invalid_state', state);
  }
  assert.equal(code('visit.escalate', 'system', { facts: { visit: null } }), 'invalid_state');
  for (const state of TICKET_STATES.filter((s) => s !== 'DISPATCHED')) {
    assert.equal(code('visit.escalate', 'system', { state }), 'invalid_state', state);
  }
  const { changes, event } = accept('visit.escalate', 'system');
  assert.deepEqual(changes.tasks, [{ kind: 'offer_unanswered', ticket_id: IDS.ticket }]);
  assert.deepEqual(
    event.effects.map((e) => `${e.object} ${e.before_state} ${e.after_state}`),
    ['visit OFFERED OFFERED'],
  );
  assert.deepEqual(
    [changes.visit?.escalated_at, changes.ticket, changes.messages],
    [NOW, undefined, undefined],
  );
});

test('who goes on from a hold gets the ends of the trip again, as far as they have not happened', () => {
  verifies('R.3');
  const kinds = (visit: Parameters<typeof visitRow>[0], resume_state: TicketState = 'DISPATCHED') =>
    accept('ticket.resume', 'dispatcher', {
      ticket: { resume_state },
      facts: { visit: visitRow(visit) },
    }).changes.timers?.map(({ kind }) => kind);
  const answer_by = at(-HOUR);
  assert.deepEqual(kinds({ state: 'OFFERED', answer_by }), ['visit.miss', 'visit.escalate']);
  assert.deepEqual(kinds({ state: 'OFFERED', answer_by, escalated_at: at(-MINUTE) }), ['visit.miss']);
  assert.deepEqual(kinds({ state: 'ACCEPTED', answer_by }), ['visit.miss']);
  assert.equal(kinds({ state: 'ON_SITE' }, 'IN_PROGRESS'), undefined);
});
