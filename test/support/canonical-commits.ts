import type { TicketRow } from '@deadlatch/decision';
import type { CommandPath } from '@deadlatch/postgres';
import { playAuthority } from './authority-commits.ts';
import {
  commitOf,
  effectOf,
  finalEvidence,
  firstMessage,
  instantIn,
  newApproval,
  newEvidence,
  newId,
  newInvoice,
  newMessage,
  newTicket,
  newVisit,
  next,
  ticketStep,
} from './commits.ts';
import { playLife } from './life-commits.ts';
import { playSchedule } from './schedule-commits.ts';
import type { SeededTenant } from './seed.ts';

/**
 * The canonical scenario as the commits it ends in, so that every table the command path writes has rows.
 * Not a test of decisions: rows are made by hand.
 */
export async function playCanonicalCommits(path: CommandPath, t: SeededTenant) {
  const intake = await playIntake(path, t);
  const work = await playWork(path, t, intake.ticket);
  const end = await playCloseout(path, t, work.ticket, work.visitId, work.evidenceId);
  await playStranger(path, t);
  await playSchedule(path, t);
  await playLife(path, t);
  await playAuthority(path, t);
  return { ...intake, ...work, ...end };
}

async function playIntake(path: CommandPath, t: SeededTenant) {
  const first = firstMessage(t);
  await path.commitDecision(first.commit);
  const created = newTicket(t, { conversation_id: first.conversation.id });
  const received = newMessage(t, {
    direction: 'OUT',
    state: 'QUEUED',
    template: 'M01',
    slots: { reference: created.reference },
    claim: { kind: 'ticket_state', states: ['NEW', 'TRIAGED'] },
    conversation_id: first.conversation.id,
    ticket_id: created.id,
    text_id: null,
    provider_id: null,
  });
  await path.commitDecision(
    ticketStep(t, 'ticket.create', null, created, {
      changes: { turn_ticket: { turn_id: first.turn.id, ticket_id: created.id }, messages: [received] },
      outbox: [
        {
          id: newId(),
          kind: 'message.deliver',
          ref_id: received.id,
          order_key: first.conversation.id,
          payload: {},
        },
      ],
      links: [
        {
          hash: newId(),
          purpose: 'status',
          contact_id: t.contacts.maria,
          object_id: created.id,
          expires_at: instantIn(86_400_000),
        },
      ],
      idempotency: {
        service: 'tool-bridge',
        subject: `contact:${t.contacts.maria}`,
        command: 'ticket.create',
        path: '/v1/ticket.create',
        key: newId(),
        fingerprint: 'f',
        answer: { ticket: created.id },
      },
    }),
  );
  await path.commitDecision(
    commitOf(t, 'message.report_delivery', {
      changes: { delivery: { message_id: received.id, state: 'SENT', provider_id: 'SM1' } },
    }),
  );
  const triaged = next(created, {
    state: 'TRIAGED',
    priority: 'EMERGENCY',
    incident_type: 'DOOR_CANNOT_SECURE',
    incident_version: 1,
    base_nte_cents: 75_000,
    nte_cents: 75_000,
  });
  await path.commitDecision(
    ticketStep(t, 'ticket.triage', created, triaged, {
      changes: { tasks: [{ kind: 'safety_triage', ticket_id: created.id }] },
    }),
  );
  return {
    ticket: triaged,
    conversation: first.conversation,
    turn: first.turn,
    message: first.message,
    received,
  };
}

async function playWork(path: CommandPath, t: SeededTenant, triaged: TicketRow) {
  const step = async (command: string, to: TicketRow, from: TicketRow, more = {}) => {
    await path.commitDecision(ticketStep(t, command, from, to, more));
    return to;
  };
  const offered = newVisit(t, triaged.id);
  let ticket = await step('visit.dispatch_emergency', next(triaged, { state: 'DISPATCHED' }), triaged, {
    effects: [effectOf('visit', null, offered)],
    changes: {
      visit: offered,
      booking: {
        visit_id: offered.id,
        technician_id: offered.technician_id,
        starts_at: offered.starts_at,
        ends_at: offered.ends_at,
      },
    },
  });
  const accepted = next(offered, { state: 'ACCEPTED' });
  ticket = await step('visit.accept', next(ticket), ticket, {
    effects: [effectOf('visit', offered, accepted)],
    changes: { visit: accepted },
  });
  const arrived = next(accepted, {
    state: 'ON_SITE',
    checked_in_at: instantIn(),
    claimed_time: instantIn(-60_000),
  });
  ticket = await step('tech.check_in', next(ticket, { state: 'ON_SITE' }), ticket, {
    effects: [effectOf('visit', accepted, arrived)],
    changes: { visit: arrived },
  });
  const asked = newEvidence(t, ticket.id, { visit_id: arrived.id });
  ticket = await step('evidence.presign', next(ticket), ticket, {
    effects: [effectOf('evidence', null, asked)],
    changes: { evidence: asked },
  });
  const photo = finalEvidence(asked);
  ticket = await step('evidence.finalize', next(ticket), ticket, {
    effects: [effectOf('evidence', asked, photo)],
    changes: { evidence: photo },
  });
  ticket = await step('tech.start', next(ticket, { state: 'IN_PROGRESS' }), ticket);
  const approval = newApproval(t, ticket, { photos: [photo.id] });
  ticket = await step(
    'tech.request_change',
    next(ticket, { state: 'APPROVAL_REQUIRED', resume_state: 'IN_PROGRESS' }),
    ticket,
    {
      effects: [effectOf('approval', null, approval)],
      changes: {
        approval,
        timers: [
          { id: newId(), kind: 'approval.expire', target_id: approval.id, due_at: approval.expires_at },
        ],
      },
    },
  );
  const consumed = next(approval, {
    state: 'CONSUMED',
    decided_by: `contact:${t.contacts.alan}`,
    decided_at: instantIn(),
  });
  ticket = await step(
    'approval.decide',
    next(ticket, { state: 'IN_PROGRESS', resume_state: null, nte_cents: approval.new_nte_cents }),
    ticket,
    {
      effects: [effectOf('approval', approval, consumed)],
      changes: { approval: consumed },
      authority: { account_id: t.accountId, version: await authorityVersion(path, t) },
      consume_token: newId(),
    },
  );
  ticket = await step('part.record', next(ticket), ticket, {
    changes: { part: { part_number: 'L-9080', quantity: 2, unit_cents: 4_500 } },
  });
  ticket = await step('time.record', next(ticket), ticket, { changes: { minutes: 45 } });
  for (const passed of [false, true]) {
    ticket = await step('test.record', next(ticket), ticket, {
      changes: { test: { test: 'lock_cycles', passed, value: 5 } },
    });
  }
  return { ticket, visitId: arrived.id, visit: arrived, evidenceId: photo.id, photo, approval: consumed };
}

async function playCloseout(
  path: CommandPath,
  t: SeededTenant,
  working: TicketRow,
  visitId: string,
  evidenceId: string,
) {
  const step = async (command: string, to: TicketRow, from: TicketRow, more = {}) => {
    await path.commitDecision(ticketStep(t, command, from, to, more));
    return to;
  };
  const completionId = newId();
  let ticket = await step(
    'tech.complete',
    next(working, { state: 'COMPLETED_PENDING_VERIFICATION', outcome: 'RESOLVED' }),
    working,
    {
      changes: {
        completion: {
          id: completionId,
          visit_id: visitId,
          submitted_by: `technician:${t.technicians.tom}`,
          outcome: 'RESOLVED',
          work_note_text_id: newId(),
          signature_kind: 'signed',
          signature_text_id: newId(),
        },
      },
    },
  );
  const verification = {
    completion_id: completionId,
    verified_by: `staff:${t.staff.quinn}`,
    note_text_id: null,
  };
  ticket = await step('qa.verify', next(ticket), ticket, {
    changes: { verification: { ...verification, result: 'FAIL', wanting: ['after.secured', 'work'] } },
  });
  const failed = ticket;
  ticket = await step('remedy.submit', next(ticket), ticket, {
    changes: { remedies: [{ key: 'after.secured', evidence_id: evidenceId }] },
  });
  ticket = await step('remedy.submit', next(ticket), ticket, {
    changes: { remedies: [{ key: 'work', evidence_id: null }] },
  });
  ticket = await step('qa.verify', next(ticket, { state: 'VERIFIED' }), ticket, {
    changes: { verification: { ...verification, result: 'PASS', wanting: [] }, release_booking_of: visitId },
  });
  const draft = newInvoice(t, ticket);
  ticket = await step('billing.generate_invoice', next(ticket, { state: 'INVOICED' }), ticket, {
    effects: [effectOf('invoice', null, draft)],
    changes: { invoice: draft },
  });
  const issued = next(draft, { state: 'ISSUED', issued_at: instantIn() });
  ticket = await step('billing.issue', next(ticket), ticket, {
    effects: [effectOf('invoice', draft, issued)],
    changes: { invoice: issued },
  });
  return { ticket, completionId, failed, invoice: issued };
}

/** A report of somebody unknown, a pause, and a booking that stays: the tables the scenario leaves empty. */
async function playStranger(path: CommandPath, t: SeededTenant) {
  const message = newMessage(t, { contact_id: null });
  await path.commitDecision(
    commitOf(t, 'message.receive', {
      changes: {
        inbound_message: message,
        report: { id: newId(), message_id: message.id, sender_hash: 'h'.repeat(43), channel: 'sms' },
      },
    }),
  );
  await path.commitDecision(
    commitOf(t, 'autonomy.pause', { changes: { pause: { scope: 'account', scope_id: t.otherAccountId } } }),
  );
  const triaged = newTicket(t, { site_id: t.otherSiteId });
  await path.commitDecision(ticketStep(t, 'ticket.create', null, triaged));
  const ready = next(triaged, { state: 'TRIAGED' });
  await path.commitDecision(ticketStep(t, 'ticket.triage', triaged, ready));
  const visit = newVisit(t, ready.id, { technician_id: t.technicians.tess });
  await path.commitDecision(
    ticketStep(t, 'visit.dispatch_emergency', ready, next(ready, { state: 'DISPATCHED' }), {
      effects: [effectOf('visit', null, visit)],
      changes: {
        visit,
        booking: {
          visit_id: visit.id,
          technician_id: visit.technician_id,
          starts_at: visit.starts_at,
          ends_at: visit.ends_at,
        },
      },
    }),
  );
}

export async function authorityVersion(path: CommandPath, t: SeededTenant): Promise<number> {
  const facts = await path.readFacts({
    tenant_id: t.tenantId,
    command: 'ticket.create',
    target: 'none',
    target_id: null,
    needs: [],
    subject: null,
    service: 'web',
    turn_id: null,
    conversation_id: null,
    idempotency: null,
    refs: { account_id: t.accountId },
  });
  return facts.account?.authority_version ?? 0;
}
