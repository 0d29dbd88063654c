import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { DispatchWorld } from './dispatch-api.ts';
import { randomPicture } from './pictures.ts';
import { type Actor, agent, alone, person, type Wire, type WireAnswer } from './wire.ts';

export interface Turn {
  readonly id: string;
  readonly conversationId: string;
  readonly contactId: string;
  /** Of the message that opened it. */
  readonly correlationId: string;
}

/** What an approver is asked, as identity gets to know it. */
export interface Question {
  readonly approvalId: string;
  readonly secret: string;
  readonly digest: string;
}

/** The people of the seeded tenant at work over the wire; every step that is not told otherwise must succeed. */
export interface Crew {
  readonly dana: Actor;
  readonly sue: Actor;
  readonly quinn: Actor;
  readonly fay: Actor;
  readonly tom: Actor;
  readonly maria: Actor;
  /** Sends a command that must be accepted. */
  does(actor: Actor, command: string, id: string | null, input?: unknown): Promise<WireAnswer>;
  /** A text of a contact on file, handed over by the gateway. */
  writes(contactId: string): Promise<Turn>;
  /** The agent of a turn, under the correlation of its message. */
  agentOf(turn: Turn): Actor;
  /** A ticket that a dispatcher opened. */
  ticket(): Promise<string>;
  emergency(): Promise<string>;
  /** A ticket on which tom has been sent, has accepted and has checked in. */
  onSite(ticketId?: string): Promise<string>;
  /** Announces, uploads and finalizes a photo. */
  photo(actor: Actor, ticketId: string, key: string): Promise<string>;
  /** Work has begun: the before-photos are there. */
  started(ticketId?: string): Promise<string>;
  asksForMoney(ticketId: string, cents: number): Promise<Question>;
}

export const words = () => ({
  text_id: randomUUID(),
  commitment: randomBytes(32).toString('base64url'),
});

export const CANNOT_SECURE = {
  type: 'DOOR_CANNOT_SECURE',
  answers: [
    { question: 'cannot_lock_anything', answer: 'yes' },
    { question: 'open_to_public', answer: 'no' },
    { question: 'anyone_hurt', answer: 'no' },
  ],
};

export function inbound(contactId: string, over: Readonly<Record<string, unknown>> = {}) {
  return {
    channel: 'sms',
    provider_id: `SM${randomBytes(16).toString('hex')}`,
    contact_id: contactId,
    sender_hash: randomBytes(32).toString('base64url'),
    doubts: [],
    received_at: new Date().toISOString(),
    text_id: randomUUID(),
    mask_state: 'RELEASED',
    masked_text: "the front door won't lock",
    ...over,
  };
}

export function createCrew(world: DispatchWorld, wire: Wire): Crew {
  const { staff, technicians, contacts, siteId } = world.tenant;
  const dana = person('staff', staff.dana);
  const tom = person('technician', technicians.tom);
  const does: Crew['does'] = async (actor, command, id, input = {}) => {
    const answer = await wire.command(actor, command, id, input);
    assert.equal(answer.status, 200, `${command}: ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const ticket = async (): Promise<string> =>
    (await does(dana, 'ticket.create', null, { site_id: siteId })).body.ticket.id;
  const emergency = async () => {
    const id = await ticket();
    await does(dana, 'ticket.triage', id, CANNOT_SECURE);
    return id;
  };
  const onSite = async (given?: string) => {
    const id = given ?? (await emergency());
    await does(dana, 'visit.dispatch_emergency', id, {
      technician_id: technicians.tom,
      reason: 'CANNOT_SECURE',
    });
    await does(tom, 'visit.accept', id);
    await does(tom, 'tech.check_in', id);
    return id;
  };
  const photo: Crew['photo'] = async (actor, ticketId, key) => {
    const bytes = randomPicture();
    const asked = await does(actor, 'evidence.presign', ticketId, {
      key,
      content_type: 'image/png',
      size_bytes: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    const { evidence_id: evidenceId, upload_url: target } = asked.body.result;
    const put = { method: 'PUT', target, headers: [['content-type', 'image/png']], body: bytes } as const;
    assert.equal((await wire.send(put)).status, 204);
    await does(actor, 'evidence.finalize', ticketId, { evidence_id: evidenceId });
    return evidenceId;
  };
  return {
    dana,
    sue: person('staff', staff.sue),
    quinn: person('staff', staff.quinn),
    fay: person('staff', staff.fay),
    maria: person('contact', contacts.maria),
    tom,
    does,
    ticket,
    emergency,
    onSite,
    photo,
    async writes(contactId) {
      const { body } = await does(alone('gateway'), 'message.receive', null, inbound(contactId));
      return {
        id: body.result.turn_id,
        conversationId: body.result.conversation_id,
        contactId,
        correlationId: body.correlation_id,
      };
    },
    agentOf: (turn) =>
      agent(turn, { tctx: { correlation_id: turn.correlationId, conversation_id: turn.conversationId } }),
    async started(given) {
      const id = await onSite(given);
      await photo(tom, id, 'photo.before.site_overview');
      await photo(tom, id, 'photo.before.opening');
      await photo(tom, id, 'photo.before.failed_lock');
      await does(tom, 'tech.start', id);
      return id;
    },
    async asksForMoney(ticketId, cents) {
      const found = await photo(tom, ticketId, 'photo.change.found_condition');
      const asked = await does(tom, 'tech.request_change', ticketId, {
        kind: 'NTE_INCREASE',
        lines: [{ kind: 'PART', quantity: 1, unit_cents: cents, incurred: 'no', part_number: 'L-9080' }],
        photos: [found],
        reason: words(),
      });
      const { rows } = await world.admin.query<{ id: string }>(
        `select id from dispatch.messages where template = 'M11' and ticket_id = $1 order by created_at desc, id desc limit 1`,
        [ticketId],
      );
      const text = await wire.read(alone('gateway'), `/v1/messages/${rows[0]?.id}/rendered`);
      const secret = /\/approve\/([A-Za-z0-9_-]+)/.exec(text.body.text)?.[1] ?? '';
      const shown = await wire.read(alone('identity'), `/v1/step-ups/${secret}`);
      assert.equal(shown.status, 200, JSON.stringify(shown.body));
      return { approvalId: asked.body.result.approval_id, secret, digest: shown.body.action_digest };
    },
  };
}
